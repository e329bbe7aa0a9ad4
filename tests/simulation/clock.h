// SPDX-License-Identifier: BSD-3-Clause
// Virtual time, the timestamp clocks that endpoints derive from it, and serial (mod 2^32) order.
#pragma once

#include <cstdint>

namespace sluice::sim {

using TimeUs = uint64_t;

constexpr TimeUs kMillisecond = 1'000;
constexpr TimeUs kSecond = 1'000'000;
constexpr TimeUs kNever = ~TimeUs{0};

// RFC 1982 order, written out here a second time on purpose: a wrong wrap in the core under test
// must not be judged by the core's own arithmetic.
constexpr bool before(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) < 0;
}
constexpr bool after(uint32_t a, uint32_t b) {
  return before(b, a);
}
constexpr bool within(uint32_t x, uint32_t low, uint32_t high) {
  return x - low <= high - low;
}

// A TCP timestamp clock (RFC 7323): any rate, any offset.
struct TimestampClock {
  uint32_t hz = 1000;
  uint32_t offset = 0;

  uint32_t at(TimeUs now) const { return offset + static_cast<uint32_t>(now * hz / kSecond); }
};

}  // namespace sluice::sim
