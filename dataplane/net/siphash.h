// SPDX-License-Identifier: BSD-3-Clause
// SipHash-2-4 (Aumasson, Bernstein 2012) and a keyed random source made of it.
//
// Offsets, port orders and hash seeds must not be guessable from outside (RFC 6056, RFC 6528); a
// keyed pseudorandom function over a counter gives that without a system call on a packet's way.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sluice::net {

using SipKey = std::array<uint64_t, 2>;

/// SipHash-2-4 of the eight bytes of `message`.
constexpr uint64_t siphash(const SipKey& key, uint64_t message) {
  uint64_t v0 = key[0] ^ 0x736f6d6570736575, v1 = key[1] ^ 0x646f72616e646f6d;
  uint64_t v2 = key[0] ^ 0x6c7967656e657261, v3 = key[1] ^ 0x7465646279746573;
  auto round = [&] {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  };
  auto absorb = [&](uint64_t word) {
    v3 ^= word;
    round(), round();
    v0 ^= word;
  };
  absorb(message);
  absorb(uint64_t{8} << 56);  // the length byte
  v2 ^= 0xff;
  round(), round(), round(), round();
  return v0 ^ v1 ^ v2 ^ v3;
}

/// An unpredictable stream; the same key gives the same stream (the simulator depends on it).
class Random {
 public:
  explicit constexpr Random(SipKey key) : key_(key) {}

  constexpr uint64_t next() { return siphash(key_, counter_++); }
  /// Uniform in [0, bound) but for a bias below bound / 2^32. bound > 0.
  constexpr uint32_t below(uint32_t bound) {
    return static_cast<uint32_t>((next() >> 32) * bound >> 32);
  }

 private:
  SipKey key_;
  uint64_t counter_ = 0;
};

}  // namespace sluice::net
