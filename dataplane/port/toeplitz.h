// SPDX-License-Identifier: BSD-3-Clause
// The hash by which NICs spread packets over their queues (RSS), of TCP over IPv4 or IPv6.
//
// Toeplitz is linear: the hash of a tuple is the XOR of what each of its bytes contributes, and
// what a byte contributes depends on the key and on where it stands alone. One table for each byte
// (rte_softrss fills them) therefore serves every tuple, and a port can be put in or taken out of a
// hash by itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/net/address.h"

namespace sluice {

/// The bytes that are hashed, in their order.
template <class Address>
struct RssTuple {
  Address source;
  Address destination;
  net::be16 source_port;
  net::be16 destination_port;
};

template <class Address>
class Toeplitz {
 public:
  using Tuple = RssTuple<Address>;

  /// As far as the tuple reaches into the key: 16 bytes, 40 for IPv6.
  static constexpr size_t kKeyLengthMin = sizeof(Tuple) + sizeof(uint32_t);

  /// `key` has at least kKeyLengthMin bytes.
  explicit Toeplitz(std::span<const uint8_t> key);

  uint32_t hash(const Tuple& tuple) const {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&tuple);
    uint32_t hash = 0;
    for (size_t i = 0; i < sizeof(Tuple); ++i) hash ^= table_[i][bytes[i]];
    return hash;
  }
  /// What the destination port, in host order, contributes to it.
  uint32_t destination_port(uint16_t port) const {
    return table_[sizeof(Tuple) - 2][port >> 8] ^ table_[sizeof(Tuple) - 1][port & 0xff];
  }

 private:
  static_assert(sizeof(Tuple) == 2 * sizeof(Address) + 4);
  std::array<std::array<uint32_t, 256>, sizeof(Tuple)> table_;
};

extern template class Toeplitz<net::Ipv4Address>;
extern template class Toeplitz<net::Ipv6Address>;

}  // namespace sluice
