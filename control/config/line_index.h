// SPDX-License-Identifier: BSD-3-Clause
// The line of a TOML value. toml11 counts the lines up to it anew for each one that it is asked of,
// so that a file of n values takes time with the square of n; here they are counted once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "control/config/toml11.h"

namespace sluice::control {

class LineIndex {
 public:
  // From 1 on; 1 as well for a value that stands in no text.
  uint32_t line_of(const toml::value& value);

 private:
  const char* text_ = nullptr;  // whose lines these are
  std::vector<size_t> begins_;  // of its lines
};

}  // namespace sluice::control
