// SPDX-License-Identifier: BSD-3-Clause
// The names, types and codes of DNS in text; what they are in a message is ldns's knowledge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::control {

bool is_dns_name(const std::string& name);  // "." is one as well
// Of a record that can be asked for: no zone transfers and no pseudo-records (OPT, TSIG).
std::optional<uint16_t> dns_type_of(const std::string& word);
// The four bits of a header (RFC 1035, section 4.1.1).
std::optional<uint8_t> dns_rcode_of(const std::string& word);
std::string dns_rcode_word(uint8_t rcode);
std::vector<std::string> dns_rcode_words();

}  // namespace sluice::control
