// SPDX-License-Identifier: BSD-3-Clause
// The control thread's clocks: monotonic, in milliseconds for the dataplane, and the time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::control {

using SteadyTime = std::chrono::steady_clock::time_point;

inline uint64_t steady_ms() {
  using std::chrono::steady_clock;
  return static_cast<uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(steady_clock::now().time_since_epoch())
          .count());
}

// A duration as the dataplane has it. The configuration keeps them to weeks.
constexpr uint32_t ms_of(std::chrono::milliseconds duration) {
  return static_cast<uint32_t>(duration.count());
}

// Since 1970.
inline double unix_seconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace sluice::control
