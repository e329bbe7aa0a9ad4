// SPDX-License-Identifier: BSD-3-Clause
// The simulator's only source of chance: one seed, one stream, the same on every machine.
#pragma once

#include <cstdint>

namespace sluice::sim {

// splitmix64's finaliser: a good hash of 64 bits.
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(mix(seed ^ 0x5ba1cefab1eULL)) {}

  uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

  // Uniform in [0, n); n > 0. The bias of the multiplication is below 2^-32 n.
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(((next() >> 32) * n) >> 32); }

  // Uniform in [low, high].
  uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }

  // True `ppm` times in a million.
  bool chance_ppm(uint32_t ppm) { return ppm != 0 && below(1'000'000) < ppm; }

 private:
  uint64_t state_;
};

}  // namespace sluice::sim
