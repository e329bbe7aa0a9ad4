// SPDX-License-Identifier: BSD-3-Clause
// Messages of DNS for tests, byte by byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::control::dns_wire {

inline const std::string kOwner("\xc0\x0c", 2);  // the question's name

inline std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

// "a.example" as labels.
inline std::string name(const std::string& text) {
  std::string out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('.', begin), text.size());
    out += static_cast<char>(end - begin);
    out += text.substr(begin, end - begin);
    begin = end + 1;
  }
  return out + std::string(1, '\0');
}

inline std::string record(unsigned type, const std::string& data,
                          const std::string& owner = kOwner) {
  return owner + be16(type) + be16(1) + be16(0) + be16(60) +
         be16(static_cast<unsigned>(data.size())) + data;
}

inline constexpr unsigned kFlags = 0x8180;  // an answer, recursion desired and available
inline constexpr unsigned kTruncated = 0x0200;

// The answer to a query, with its ID and question.
inline std::string answer(const std::string& query, const std::vector<std::string>& records,
                          unsigned flags = kFlags) {
  std::string out = query.substr(0, 2) + be16(flags) + be16(1) +
                    be16(static_cast<unsigned>(records.size())) + be16(0) + be16(0) +
                    query.substr(12);
  for (const std::string& one : records) out += one;
  return out;
}

}  // namespace sluice::control::dns_wire
