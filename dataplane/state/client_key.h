// SPDX-License-Identifier: BSD-3-Clause
// What counts as one client of a service: the first bits of an address, in either family.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "dataplane/net/folded_multiply.h"
#include "dataplane/state/address_key.h"

namespace sluice {

struct ClientKey {
  AddressKey ip;  // without the bits behind the prefix
  uint16_t service;
  uint16_t zero = 0;

  friend bool operator==(const ClientKey&, const ClientKey&) = default;
};
static_assert(sizeof(ClientKey) == 20 && std::has_unique_object_representations_v<ClientKey>);

/// `bits` of the 128 are kept.
inline AddressKey kept_bits(const AddressKey& ip, unsigned bits) {
  AddressKey kept = ip;
  for (unsigned i = 0; i < kept.bytes.size(); ++i) {
    const unsigned left = bits > 8 * i ? std::min(8u, bits - 8 * i) : 0;
    kept.bytes[i] = static_cast<uint8_t>(kept.bytes[i] & (0xff00u >> left));
  }
  return kept;
}

inline ClientKey make_client_key(const AddressKey& ip, uint8_t bits_v4, uint8_t bits_v6,
                                 uint16_t service) {
  const unsigned bits = is_mapped(ip) ? unsigned{kMappedBits} + bits_v4 : bits_v6;
  return {kept_bits(ip, bits), service};
}

/// Keyed, so that keys which collide cannot be made from outside.
inline uint32_t hash_of(const ClientKey& key, const std::array<uint64_t, 3>& secret) {
  const auto words = std::bit_cast<std::array<uint64_t, 2>>(key.ip.bytes);
  const uint64_t first = net::folded_multiply(words[0] ^ secret[0], secret[1]);
  const uint64_t second = net::folded_multiply(words[1] ^ secret[1] ^ first, secret[2]);
  return static_cast<uint32_t>(net::folded_multiply(second ^ key.service ^ secret[2], secret[0]) >>
                               32);
}

}  // namespace sluice
