// SPDX-License-Identifier: BSD-3-Clause
// A network of either family, as a value.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"

namespace sluice::net {

struct IpPrefix {
  IpAddress address;   // may have host bits: an interface's own address
  uint8_t length = 0;  // in bits

  constexpr IpPrefix() = default;
  constexpr IpPrefix(const IpAddress& own, uint8_t bits) : address(own), length(bits) {}
  template <class Address>
  constexpr IpPrefix(const Prefix<Address>& prefix)
      : address(prefix.address), length(prefix.length) {}

  constexpr Ipv4Prefix v4() const { return {address.v4(), length}; }
  constexpr Ipv6Prefix v6() const { return {address.v6(), length}; }

  bool contains(const IpAddress& ip) const;  // never one of the other family
  IpAddress first() const;                   // its host bits are 0: the network's own address
  IpAddress last() const;                    // its host bits are 1: the broadcast address of IPv4
  IpPrefix network() const { return {first(), length}; }  // without its host bits

  friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

}  // namespace sluice::net
