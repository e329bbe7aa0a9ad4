// SPDX-License-Identifier: BSD-3-Clause
// The worker's clock: the processor's counter, which needs no system call.
#pragma once

#include <rte_cycles.h>

#include <algorithm>
#include <cstdint>

namespace sluice {

class TscClock {
 public:
  static uint64_t ticks() { return rte_rdtsc(); }
  /// Monotonic.
  uint64_t now_ms() const { return ms(ticks()); }
  uint64_t ms(uint64_t ticks) const { return ticks / cycles_per_ms_; }
  /// For durations alone: the rate is rounded to whole megahertz.
  uint64_t now_us() const { return rte_rdtsc() / cycles_per_us_; }

 private:
  /// EAL measures the rate: without it this is a clock all the same, of another rate.
  static uint64_t cycles_per(uint64_t parts) {
    return std::max<uint64_t>(rte_get_tsc_hz() / parts, 1);
  }

  uint64_t cycles_per_ms_ = cycles_per(1000);
  uint64_t cycles_per_us_ = cycles_per(1'000'000);
};

}  // namespace sluice
