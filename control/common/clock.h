// SPDX-License-Identifier: BSD-3-Clause
// The control thread's clocks: monotonic, in milliseconds for the dataplane, and the time of day.
#pragma once

#include <time.h>

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

// Since the machine was started, its sleep included: the same for whoever comes after this process.
inline std::chrono::milliseconds boot_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::milliseconds(int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000);
}

// Since 1970.
inline double unix_seconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace sluice::control
