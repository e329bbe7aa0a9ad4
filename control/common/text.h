// SPDX-License-Identifier: BSD-3-Clause
// What neither the standard library nor fmt knows about text.
#pragma once

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

}  // namespace sluice::control
