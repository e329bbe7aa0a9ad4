// SPDX-License-Identifier: BSD-3-Clause
// The hash by which NICs spread packets over their queues (RSS), of TCP over IPv4.
//
// Toeplitz is linear: the hash of a tuple is the XOR of what each of its bytes contributes, and
// what a byte contributes depends on the key and on where it stands alone. One table for each of
// the twelve bytes therefore serves every tuple, and a port can be put in or taken out of a hash by
// itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/net/address.h"

namespace sluice::net {

class Toeplitz {
 public:
  /// As far as twelve bytes of input reach into the key.
  static constexpr size_t kKeyLengthMin = 16;

  /// `key` has at least kKeyLengthMin bytes.
  explicit Toeplitz(std::span<const uint8_t> key);

  /// Of a packet from `source` to `destination`.
  uint32_t hash(Endpoint source, Endpoint destination) const;
  /// What the destination port, in host order, contributes to it.
  uint32_t destination_port(uint16_t port) const {
    return table_[10][port >> 8] ^ table_[11][port & 0xff];
  }

 private:
  static constexpr size_t kInputLength = 12;
  std::array<std::array<uint32_t, 256>, kInputLength> table_;
};

}  // namespace sluice::net
