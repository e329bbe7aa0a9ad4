// SPDX-License-Identifier: BSD-3-Clause
// The control thread's clocks: monotonic in milliseconds, and the time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::control {

inline uint64_t steady_ms() {
  using std::chrono::steady_clock;
  return static_cast<uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(steady_clock::now().time_since_epoch())
          .count());
}

// Since 1970.
inline double unix_seconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace sluice::control
