// SPDX-License-Identifier: BSD-3-Clause
// ldns's tables.
#include "control/config/dns_words.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace sluice::control {
namespace {

constexpr uint8_t kRcodeMax = 15;

// Types 128 to 255 are questions and meta-records (RFC 6895, section 3.1): of those only ANY gets a
// plain answer.
bool can_be_asked_for(unsigned type) {
  const bool meta = type >= 128 && type < LDNS_RR_TYPE_ANY;
  return type != 0 && type != LDNS_RR_TYPE_OPT && !meta && type <= UINT16_MAX;
}

}  // namespace

bool is_dns_name(const std::string& name) {
  const bool plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c != 0x7f;
  });
  if (!plain) return false;
  const std::unique_ptr<ldns_rdf, decltype(&ldns_rdf_deep_free)> parsed(
      ldns_dname_new_frm_str(name.c_str()), ldns_rdf_deep_free);
  return parsed != nullptr;
}

std::optional<uint16_t> dns_type_of(const std::string& word) {
  const auto type = static_cast<unsigned>(ldns_get_rr_type_by_name(word.c_str()));
  return can_be_asked_for(type) ? std::optional(static_cast<uint16_t>(type)) : std::nullopt;
}

std::string dns_rcode_word(uint8_t rcode) {
  const std::unique_ptr<char, decltype(&std::free)> word(
      ldns_pkt_rcode2str(static_cast<ldns_pkt_rcode>(rcode)), std::free);
  return word ? word.get() : std::to_string(rcode);
}

std::vector<std::string> dns_rcode_words() {
  std::vector<std::string> words;
  for (uint8_t rcode = 0; rcode <= kRcodeMax; ++rcode) words.push_back(dns_rcode_word(rcode));
  return words;
}

std::optional<uint8_t> dns_rcode_of(const std::string& word) {
  for (uint8_t rcode = 0; rcode <= kRcodeMax; ++rcode) {
    if (dns_rcode_word(rcode) == word) return rcode;
  }
  return std::nullopt;
}

}  // namespace sluice::control
