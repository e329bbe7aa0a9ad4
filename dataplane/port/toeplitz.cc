// SPDX-License-Identifier: BSD-3-Clause
// Tables of what each byte contributes.
#include "dataplane/port/toeplitz.h"

#include <cstring>

namespace sluice::net {
namespace {

/// The 32 bits of the key that begin at `bit`.
uint32_t window(std::span<const uint8_t> key, size_t bit) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < 5; ++i) {
    bytes = bytes << 8 | (bit / 8 + i < key.size() ? key[bit / 8 + i] : 0);
  }
  return static_cast<uint32_t>(bytes >> (8 - bit % 8));
}

}  // namespace

Toeplitz::Toeplitz(std::span<const uint8_t> key) {
  for (size_t at = 0; at < kInputLength; ++at) {
    for (size_t value = 0; value < 256; ++value) {
      uint32_t sum = 0;
      for (size_t bit = 0; bit < 8; ++bit) {
        if ((value & (0x80u >> bit)) != 0) sum ^= window(key, 8 * at + bit);
      }
      table_[at][value] = sum;
    }
  }
}

uint32_t Toeplitz::hash(Endpoint source, Endpoint destination) const {
  std::array<uint8_t, kInputLength> input;
  std::memcpy(&input[0], &source.ip.raw, 4);
  std::memcpy(&input[4], &destination.ip.raw, 4);
  std::memcpy(&input[8], &source.port.raw, 2);
  std::memcpy(&input[10], &destination.port.raw, 2);
  uint32_t hash = 0;
  for (size_t i = 0; i < kInputLength; ++i) hash ^= table_[i][input[i]];
  return hash;
}

}  // namespace sluice::net
