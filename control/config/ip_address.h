// SPDX-License-Identifier: BSD-3-Clause
// Addresses of either family as control has them: address, address and port, network.
//
// A value of the dataplane's widens by itself. Narrowing has a name, v4() or v6(), and throws
// std::logic_error for the other family: who narrows has asked before, or the check has. IPv4 sorts
// before IPv6.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/net/address.h"

namespace sluice::control {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  constexpr IpAddress(net::Ipv4Address ip) {
    const auto wire = std::bit_cast<std::array<uint8_t, kIpv4Bytes>>(ip);
    for (size_t i = 0; i < wire.size(); ++i) bytes_[i] = wire[i];
  }
  constexpr IpAddress(const net::Ipv6Address& ip) : family_(Family::kIpv6), bytes_(ip.bytes) {}

  constexpr bool is_v4() const { return family_ == Family::kIpv4; }
  net::Ipv4Address v4() const;
  net::Ipv6Address v6() const;

  // As on the wire: 4 of them, or 16.
  constexpr std::span<const uint8_t> bytes() const {
    return std::span<const uint8_t>(bytes_).first(is_v4() ? kIpv4Bytes : bytes_.size());
  }
  constexpr unsigned bit_count() const { return is_v4() ? 32 : 128; }

  friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  static constexpr size_t kIpv4Bytes = 4;
  enum class Family : uint8_t { kIpv4, kIpv6 };

  Family family_ = Family::kIpv4;
  std::array<uint8_t, 16> bytes_{};  // of IPv4 the first 4, the others are 0
};

// One end of a connection, or what is listened on.
struct IpEndpoint {
  IpAddress ip;
  net::be16 port{};

  constexpr IpEndpoint() = default;
  constexpr IpEndpoint(const IpAddress& address, net::be16 its_port)
      : ip(address), port(its_port) {}
  constexpr IpEndpoint(net::Endpoint endpoint) : ip(endpoint.ip), port(endpoint.port) {}

  net::Endpoint v4() const { return {ip.v4(), port}; }

  friend constexpr bool operator==(const IpEndpoint&, const IpEndpoint&) = default;
  friend constexpr auto operator<=>(const IpEndpoint&, const IpEndpoint&) = default;
};

struct IpPrefix {
  IpAddress address;   // may have host bits: an interface's own address
  uint8_t length = 0;  // in bits

  constexpr IpPrefix() = default;
  constexpr IpPrefix(const IpAddress& own, uint8_t bits) : address(own), length(bits) {}
  constexpr IpPrefix(net::Ipv4Prefix prefix) : address(prefix.address), length(prefix.length) {}

  net::Ipv4Prefix v4() const { return {address.v4(), length}; }
  net::Ipv6Prefix v6() const { return {address.v6(), length}; }

  bool contains(const IpAddress& ip) const;  // never one of the other family
  IpAddress first() const;                   // its host bits are 0: the network's own address
  IpAddress last() const;                    // its host bits are 1: the broadcast address of IPv4
  IpPrefix network() const { return {first(), length}; }  // without its host bits

  friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

}  // namespace sluice::control
