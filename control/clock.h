// SPDX-License-Identifier: BSD-3-Clause
// The control thread's clock: monotonic, in milliseconds.
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

}  // namespace sluice::control
