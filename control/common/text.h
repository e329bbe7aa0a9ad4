// SPDX-License-Identifier: BSD-3-Clause
// What neither the standard library nor fmt knows about text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::control {

template <class Strings>
std::string join(const Strings& strings, std::string_view separator) {
  std::string out;
  std::string_view before;
  for (const std::string& string : strings) {
    out.append(before).append(string);
    before = separator;
  }
  return out;
}

bool is_utf8(std::string_view text);
// The bytes of "0a 1b2c": pairs of digits of either case, blanks between pairs. Nothing where it is
// something else.
std::optional<std::string> parse_hex(std::string_view text);
// In quotes, for a log and a terminal: what is not printable ASCII as \xNN, a long one cut.
std::string printable(std::string_view bytes);

}  // namespace sluice::control
