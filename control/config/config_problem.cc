// SPDX-License-Identifier: BSD-3-Clause
// Collects problems and puts them in the order of the file.
#include "control/config/config_problem.h"

#include <algorithm>

namespace sluice::control {

std::string without_indices(const std::string& path) {
  std::string out;
  bool inside = false;
  for (char c : path) {
    if (c == '[') inside = true;
    if (!inside) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    if (c == ']') inside = false;
  }
  return out;
}

void Problems::add(uint32_t line, const std::string& path, std::string got, std::string expected) {
  problems_.push_back({line, without_indices(path), std::move(got), std::move(expected)});
}

void Problems::add_in_file(std::string file, uint32_t line, std::string got, std::string expected) {
  problems_.push_back({line, {}, std::move(got), std::move(expected), std::move(file)});
}

std::vector<Problem> Problems::sorted() const {
  std::vector<Problem> out = problems_;
  std::ranges::stable_sort(out, {}, [](const Problem& problem) {
    return std::pair<const std::string&, uint32_t>(problem.file, problem.line);
  });
  return out;
}

}  // namespace sluice::control
