// SPDX-License-Identifier: BSD-3-Clause
// Addresses as values: IPv4, IPv6, either of them, MAC, address:port, prefix; and text for people.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "dataplane/net/byte_order.h"

namespace sluice::net {

using Ipv4Address = be32;

/// As on the wire. Alignment 1, because headers in a frame have.
struct Ipv6Address {
  std::array<uint8_t, 16> bytes{};

  /// In two words: byte by byte it would cost a packet a dozen instructions.
  constexpr std::array<uint64_t, 2> halves() const {
    return std::bit_cast<std::array<uint64_t, 2>>(bytes);
  }
  friend constexpr bool operator==(const Ipv6Address& a, const Ipv6Address& b) {
    return a.halves() == b.halves();
  }
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

enum class Family : uint8_t { kIpv4, kIpv6 };

/// An address of either family; IPv4's is kept as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), which
/// no packet may have. Narrowing, v4() and v6(), is for who knows the family. IPv4 sorts first.
class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  constexpr IpAddress(Ipv4Address ip)
      : bytes_(std::bit_cast<Bytes>(std::array<uint32_t, 4>{0, 0, kMapped, ip.raw})) {}
  constexpr IpAddress(const Ipv6Address& ip) : bytes_(ip.bytes) {}

  constexpr bool is_v4() const {
    const auto [high, low] = halves();
    return high == 0 && static_cast<uint32_t>(low) == kMapped;
  }
  constexpr Family family() const { return is_v4() ? Family::kIpv4 : Family::kIpv6; }
  constexpr Ipv4Address v4() const { return {static_cast<uint32_t>(halves()[1] >> 32)}; }
  constexpr Ipv6Address v6() const { return {bytes_}; }
  /// 0.0.0.0 or ::.
  constexpr bool is_any() const { return is_v4() ? v4().raw == 0 : v6() == Ipv6Address{}; }

  // As on the wire: 4 of them, or 16.
  constexpr std::span<const uint8_t> bytes() const {
    return is_v4() ? std::span<const uint8_t>(bytes_).subspan(kIpv4At)
                   : std::span<const uint8_t>(bytes_);
  }
  constexpr unsigned bit_count() const { return is_v4() ? 32 : 128; }

  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    return a.halves() == b.halves();
  }
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (a.is_v4() != b.is_v4()) return b.is_v4() <=> a.is_v4();
    return a.bytes_ <=> b.bytes_;
  }

 private:
  using Bytes = std::array<uint8_t, 16>;
  static constexpr size_t kIpv4At = 12;
  static constexpr uint32_t kMapped = 0xffff0000;  // the third word, as in memory

  constexpr std::array<uint64_t, 2> halves() const { return v6().halves(); }

  Bytes bytes_ = std::bit_cast<Bytes>(std::array<uint32_t, 4>{0, 0, kMapped, 0});
};
static_assert(sizeof(IpAddress) == 16 && alignof(IpAddress) == 1);

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

/// One end of a connection, of a known family.
template <class Address>
struct EndpointOf {
  Address ip;
  be16 port;

  friend constexpr bool operator==(const EndpointOf&, const EndpointOf&) = default;
  friend constexpr auto operator<=>(const EndpointOf&, const EndpointOf&) = default;
};
using Ipv4Endpoint = EndpointOf<Ipv4Address>;
using Ipv6Endpoint = EndpointOf<Ipv6Address>;
static_assert(sizeof(Ipv4Endpoint) == 6 && alignof(Ipv4Endpoint) == 1);
static_assert(sizeof(Ipv6Endpoint) == 18 && alignof(Ipv6Endpoint) == 1);

/// The same of either family.
struct Endpoint {
  IpAddress ip;
  be16 port{};

  constexpr Endpoint() = default;
  constexpr Endpoint(const IpAddress& address, be16 its_port) : ip(address), port(its_port) {}
  template <class Address>
  constexpr Endpoint(const EndpointOf<Address>& end) : ip(end.ip), port(end.port) {}

  constexpr Ipv4Endpoint v4() const { return {ip.v4(), port}; }
  constexpr Ipv6Endpoint v6() const { return {ip.v6(), port}; }

  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

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

// RFC 5952; in brackets where a port follows.
std::string to_string(Ipv4Address ip);
std::string to_string(const IpAddress& ip);
std::string to_string(const Endpoint& end);

}  // namespace sluice::net
