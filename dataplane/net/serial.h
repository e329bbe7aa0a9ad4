// SPDX-License-Identifier: BSD-3-Clause
// Serial number arithmetic modulo 2^32 (RFC 1982): TCP sequence numbers, timestamps, millisecond
// clocks.
//
// "a after b" holds when a is up to 2^31 - 1 ahead of b, as the kernel's after() has it.
#pragma once

#include <cstdint>

namespace sluice::net {

constexpr bool serial_after(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(b - a) < 0;
}
constexpr bool serial_before(uint32_t a, uint32_t b) {
  return serial_after(b, a);
}
constexpr bool serial_at_or_after(uint32_t a, uint32_t b) {
  return !serial_after(b, a);
}

constexpr uint32_t serial_max(uint32_t a, uint32_t b) {
  return serial_after(a, b) ? a : b;
}

/// Whether x lies in the closed span [low, high] on the circle.
constexpr bool serial_within(uint32_t x, uint32_t low, uint32_t high) {
  return x - low <= high - low;
}

}  // namespace sluice::net
