// SPDX-License-Identifier: BSD-3-Clause
// Values counted by size: buckets fixed at compile time, written like any Counter.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/state/counter.h"

namespace sluice {

/// One bucket for each upper bound (included), and one for what is above the last.
template <size_t kBoundCount>
struct Histogram {
  std::array<Counter, kBoundCount + 1> buckets;
  Counter sum;

  void add(size_t bucket, uint64_t value) {
    buckets[bucket].add();
    sum.add(value);
  }
};

/// From the first SYN to a backend to its SYN-ACK. Microseconds.
inline constexpr std::array<uint32_t, 15> kHandshakeBoundsUs = {
    100,    250,     500,     1'000,   2'500,     5'000,     10'000,   25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000};
struct HandshakeTimes : Histogram<kHandshakeBoundsUs.size()> {
  void count(uint32_t us) {
    size_t bucket = 0;
    while (bucket < kHandshakeBoundsUs.size() && us > kHandshakeBoundsUs[bucket]) ++bucket;
    add(bucket, us);
  }
};

/// Packets a burst.
inline constexpr std::array<uint32_t, 7> kBurstBounds = {1, 2, 4, 8, 16, 32, 64};
struct BurstSizes : Histogram<kBurstBounds.size()> {
  void count(uint32_t packets) {  // 1 to 64
    add(static_cast<size_t>(std::bit_width(packets - 1)), packets);
  }
};

}  // namespace sluice
