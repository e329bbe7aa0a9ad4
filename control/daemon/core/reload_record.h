// SPDX-License-Identifier: BSD-3-Clause
// How reloads of the configuration went.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::control {

struct ReloadRecord {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  bool last_succeeded = true;
  std::string last_error;     // what was wrong, where it has not; its first line
  double last_success_s = 0;  // Unix time; the start counts as one
};

}  // namespace sluice::control
