// SPDX-License-Identifier: BSD-3-Clause
// An address of either family as the 16 bytes of a key: IPv4 as IPv6 maps it (RFC 4291, section
// 2.5.5.2).
#pragma once

#include "dataplane/net/address.h"

namespace sluice {

using AddressKey = net::Ipv6Address;
using AddressKeyPrefix = net::Ipv6Prefix;

/// Of IPv4, bits of a prefix before its own.
inline constexpr uint8_t kMappedBits = 96;

/// As net::IpAddress keeps it.
constexpr AddressKey address_key(const net::IpAddress& ip) {
  return ip.v6();
}
constexpr net::IpAddress address_of(const AddressKey& key) {
  return key;
}
constexpr bool is_mapped(const AddressKey& key) {
  return address_of(key).is_v4();
}

}  // namespace sluice
