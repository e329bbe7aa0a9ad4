// SPDX-License-Identifier: BSD-3-Clause
// Messages of DNS: a query made, and an answer read that may come from anyone and be anything. ldns
// underneath.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ldns_struct_pkt;

namespace sluice::control {

// The longest answer whose records are looked at, in bytes. Pointers in names can make ldns work
// with the square of the length.
inline constexpr size_t kDnsAnswerMax = 4096;

// One question, recursion desired. Empty where the name is none.
std::string make_dns_query(uint16_t id, const std::string& name, uint16_t type);

struct DnsHeader {
  uint8_t rcode;
  bool truncated;
};

// Of an answer to that query: its ID, and its question unless it says an error and has none.
// Nothing: it is no such answer.
std::optional<DnsHeader> read_dns_answer(std::string_view answer, std::string_view query);

// The records of an answer.
class DnsRecords {
 public:
  // Nothing where it is malformed.
  static std::optional<DnsRecords> parse(std::string_view message);
  // Whether a record in the answer section says that: as one of its fields or as all of them with
  // blanks between (addresses in any form, names with or without the last dot, in either case), or
  // within its strings (TXT).
  bool have(const std::string& text) const;

 private:
  struct Free {
    void operator()(ldns_struct_pkt* packet) const;
  };
  std::unique_ptr<ldns_struct_pkt, Free> packet_;
};

}  // namespace sluice::control
