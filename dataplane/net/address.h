// SPDX-License-Identifier: BSD-3-Clause
// Addresses as values: IPv4, IPv6, MAC, address:port, prefix; and their text for people.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "dataplane/net/byte_order.h"

namespace sluice::net {

using Ipv4Address = be32;

/// As on the wire. Alignment 1, because headers in a frame have.
struct Ipv6Address {
  std::array<uint8_t, 16> bytes{};

  friend constexpr bool operator==(const Ipv6Address&, const Ipv6Address&) = default;
  friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
};
static_assert(sizeof(Ipv6Address) == 16 && alignof(Ipv6Address) == 1);

__extension__ typedef unsigned __int128 uint128;

/// An address as a number: those of a network follow one another.
constexpr uint32_t number_of(Ipv4Address ip) {
  return ip.host();
}
constexpr uint128 number_of(const Ipv6Address& ip) {
  const auto [high, low] = std::bit_cast<std::array<uint64_t, 2>>(ip.bytes);
  return static_cast<uint128>(__builtin_bswap64(high)) << 64 | __builtin_bswap64(low);
}
template <class Address>
using AddressNumber = decltype(number_of(Address{}));

struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  friend bool operator==(const MacAddress& a, const MacAddress& b) {
    uint32_t a_low, b_low;
    uint16_t a_high, b_high;
    std::memcpy(&a_low, a.bytes.data(), 4);
    std::memcpy(&b_low, b.bytes.data(), 4);
    std::memcpy(&a_high, a.bytes.data() + 4, 2);
    std::memcpy(&b_high, b.bytes.data() + 4, 2);
    return a_low == b_low && a_high == b_high;
  }
  constexpr bool is_multicast() const { return (bytes[0] & 1) != 0; }
};

inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/// One end of a connection, in either family.
template <class Address>
struct EndpointOf {
  Address ip;
  be16 port;

  friend constexpr bool operator==(EndpointOf, EndpointOf) = default;
  friend constexpr auto operator<=>(EndpointOf, EndpointOf) = default;
};
using Endpoint = EndpointOf<Ipv4Address>;
static_assert(sizeof(Endpoint) == 6 && alignof(Endpoint) == 1);

/// A network: the addresses that have the first `length` bits in common.
template <class Address>
struct Prefix {
  using Number = AddressNumber<Address>;
  static constexpr uint8_t kLengthMax = 8 * sizeof(Address);

  Address address;  // may have host bits: an interface's own address
  uint8_t length;   // 0..kLengthMax

  constexpr Number mask() const {
    return length == 0 ? Number{0} : ~Number{0} << (kLengthMax - length);
  }
  constexpr bool contains(const Address& ip) const {
    return ((number_of(ip) ^ number_of(address)) & mask()) == 0;
  }
  friend constexpr bool operator==(const Prefix&, const Prefix&) = default;
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;
};
using Ipv4Prefix = Prefix<Ipv4Address>;
using Ipv6Prefix = Prefix<Ipv6Address>;

inline std::string to_string(Ipv4Address ip) {
  const uint32_t v = ip.host();
  return std::to_string(v >> 24) + '.' + std::to_string(v >> 16 & 255) + '.' +
         std::to_string(v >> 8 & 255) + '.' + std::to_string(v & 255);
}

inline std::string to_string(Endpoint e) {
  return to_string(e.ip) + ':' + std::to_string(e.port.host());
}

}  // namespace sluice::net
