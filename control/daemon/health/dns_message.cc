// SPDX-License-Identifier: BSD-3-Clause
// What ldns is asked for; only the header and the question are looked at by hand.
#include "control/daemon/health/dns_message.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

#include "control/common/text.h"

namespace sluice::control {
namespace {

constexpr size_t kTypeAndClass = 4;  // bytes at a question's end

struct FreeText {
  void operator()(void* text) const { std::free(text); }
};

const uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), one.size()) == 0;
}

// The first name of a message has nothing to point back to, so a question comes back as it went,
// but for the case of its letters. Lengths of labels are at most 63: none is a letter.
bool same_question(std::string_view answer, std::string_view query) {
  if (answer.size() < query.size()) return false;
  const std::string_view asked = query.substr(LDNS_HEADER_SIZE);
  const std::string_view said = answer.substr(LDNS_HEADER_SIZE, asked.size());
  const size_t name = asked.size() - kTypeAndClass;
  if (said.substr(name) != asked.substr(name)) return false;
  return std::equal(
      said.begin(), said.begin() + static_cast<ptrdiff_t>(name), asked.begin(),
      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::string without_last_dot(std::string name) {
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

// An IPv6 address in the one form that ldns writes it in.
std::string canonical(const std::string& text) {
  in6_addr address;
  char out[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return without_last_dot(text);
  return inet_ntop(AF_INET6, &address, out, sizeof out);
}

// A string of a TXT record as it is, without quotes and escapes.
std::string_view string_of(const ldns_rdf* field) {
  const std::string_view all(reinterpret_cast<const char*>(ldns_rdf_data(field)),
                             ldns_rdf_size(field));
  return all.empty() ? all : all.substr(1, static_cast<unsigned char>(all.front()));
}

std::string text_of(const ldns_rdf* field) {
  const std::unique_ptr<char, FreeText> text(ldns_rdf2str(field));
  return text ? without_last_dot(text.get()) : "";
}

bool says(const ldns_rr* record, const std::string& text) {
  std::vector<std::string> fields;
  std::string strings;
  for (size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(record, i);
    if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_STR) strings += string_of(field);
    fields.push_back(text_of(field));
    if (same_name(fields.back(), text)) return true;
  }
  return same_name(join(fields, " "), text) || strings.find(text) != strings.npos;
}

}  // namespace

std::string make_dns_query(uint16_t id, const std::string& name, uint16_t type) {
  ldns_rdf* asked = ldns_dname_new_frm_str(name.c_str());
  if (asked == nullptr) return {};
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> packet(
      ldns_pkt_query_new(asked, static_cast<ldns_rr_type>(type), LDNS_RR_CLASS_IN, LDNS_RD),
      ldns_pkt_free);
  if (!packet) return {};
  ldns_pkt_set_id(packet.get(), id);
  uint8_t* wire = nullptr;
  size_t size = 0;
  if (ldns_pkt2wire(&wire, packet.get(), &size) != LDNS_STATUS_OK) return {};
  const std::unique_ptr<uint8_t, FreeText> owned(wire);
  return {reinterpret_cast<const char*>(wire), size};
}

std::optional<DnsHeader> read_dns_answer(std::string_view answer, std::string_view query) {
  if (answer.size() < LDNS_HEADER_SIZE || query.size() < LDNS_HEADER_SIZE + kTypeAndClass) {
    return std::nullopt;
  }
  const uint8_t* wire = bytes_of(answer);
  if (LDNS_ID_WIRE(wire) != LDNS_ID_WIRE(bytes_of(query)) || !LDNS_QR_WIRE(wire) ||
      LDNS_OPCODE_WIRE(wire) != LDNS_PACKET_QUERY) {
    return std::nullopt;
  }
  const DnsHeader header{static_cast<uint8_t>(LDNS_RCODE_WIRE(wire)), LDNS_TC_WIRE(wire) != 0};
  const bool bare_error = LDNS_QDCOUNT(wire) == 0 && header.rcode != LDNS_RCODE_NOERROR;
  const bool fits = LDNS_QDCOUNT(wire) == 1 && same_question(answer, query);
  return bare_error || fits ? std::optional(header) : std::nullopt;
}

void DnsRecords::Free::operator()(ldns_pkt* packet) const {
  ldns_pkt_free(packet);
}

std::optional<DnsRecords> DnsRecords::parse(std::string_view message) {
  ldns_pkt* packet = nullptr;
  if (message.size() > kDnsAnswerMax ||
      ldns_wire2pkt(&packet, bytes_of(message), message.size()) != LDNS_STATUS_OK) {
    return std::nullopt;
  }
  DnsRecords records;
  records.packet_.reset(packet);
  return records;
}

bool DnsRecords::have(const std::string& text) const {
  const ldns_rr_list* answers = ldns_pkt_answer(packet_.get());
  for (size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
    if (says(ldns_rr_list_rr(answers, i), canonical(text))) return true;
  }
  return false;
}

}  // namespace sluice::control
