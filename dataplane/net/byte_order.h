// SPDX-License-Identifier: BSD-3-Clause
// Big-endian integers as they stand on the wire.
//
// be16 and be32 never convert by themselves: `.host()` and `from_host()` say where the order
// changes, so a forgotten ntohs() does not compile. Both have alignment 1, because headers in a
// frame have.
#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace sluice::net {

static_assert(std::endian::native == std::endian::little, "Sluice runs on little-endian machines");

struct [[gnu::packed]] be16 {
  uint16_t raw;  // as in memory

  static constexpr be16 from_host(uint16_t value) { return {__builtin_bswap16(value)}; }
  constexpr uint16_t host() const { return __builtin_bswap16(raw); }
  friend constexpr bool operator==(be16 a, be16 b) { return a.raw == b.raw; }
  friend constexpr auto operator<=>(be16 a, be16 b) { return a.host() <=> b.host(); }
};

struct [[gnu::packed]] be32 {
  uint32_t raw;  // as in memory

  static constexpr be32 from_host(uint32_t value) { return {__builtin_bswap32(value)}; }
  constexpr uint32_t host() const { return __builtin_bswap32(raw); }
  friend constexpr bool operator==(be32 a, be32 b) { return a.raw == b.raw; }
  friend constexpr auto operator<=>(be32 a, be32 b) { return a.host() <=> b.host(); }
};

static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);

}  // namespace sluice::net
