// SPDX-License-Identifier: BSD-3-Clause
// A 64 x 64 -> 128 bit multiplication with its halves folded, as wyhash has it (Wang Yi): one step
// of a keyed hash that is fast and whose results nobody outside sees.
#pragma once

#include <cstdint>

namespace sluice::net {

constexpr uint64_t folded_multiply(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace sluice::net
