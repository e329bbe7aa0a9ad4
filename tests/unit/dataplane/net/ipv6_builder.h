// SPDX-License-Identifier: BSD-3-Clause
// Packets of both families for tests, without Ethernet, built byte by byte beside frame_builder.h.
#pragma once

#include <initializer_list>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::test {

/// Of eight groups of 16 bits.
constexpr net::Ipv6Address ip6(std::initializer_list<uint16_t> groups) {
  net::Ipv6Address ip{};
  size_t at = 0;
  for (const uint16_t group : groups) {
    ip.bytes[at++] = static_cast<uint8_t>(group >> 8);
    ip.bytes[at++] = static_cast<uint8_t>(group);
  }
  return ip;
}
/// A net of tests, and the last 16 bits.
constexpr net::Ipv6Address ip6(uint16_t net, uint16_t host) {
  return ip6({0xfd00, net, 0, 0, 0, 0, 0, host});
}

inline Bytes bytes_of(const net::Ipv6Address& ip) {
  return Bytes(ip.bytes.begin(), ip.bytes.end());
}
inline Bytes bytes_of(net::Ipv4Address ip) {
  Bytes bytes;
  put32(bytes, ip.host());
  return bytes;
}
inline Bytes bytes_of(const net::MacAddress& mac) {
  return Bytes(mac.bytes.begin(), mac.bytes.end());
}
inline Bytes from(const Bytes& bytes, size_t at) {
  return slice(bytes, at, bytes.size());
}

struct Ip6 {
  net::Ipv6Address source = ip6(1, 1);
  net::Ipv6Address destination = ip6(3, 1);
  uint8_t next_header = net::kProtocolTcp;
  uint8_t hop_limit = 64;
  uint8_t traffic_class = 0;
  uint32_t flow_label = 0;
};

inline Bytes ip6_packet(const Ip6& ip, const Bytes& payload) {
  Bytes bytes;
  put32(bytes, 6u << 28 | uint32_t{ip.traffic_class} << 20 | ip.flow_label);
  put16(bytes, static_cast<uint16_t>(payload.size()));
  bytes.push_back(ip.next_header);
  bytes.push_back(ip.hop_limit);
  return bytes + bytes_of(ip.source) + bytes_of(ip.destination) + payload;
}

struct Ip4 {
  net::Ipv4Address source = ip4(10, 1, 0, 1);
  net::Ipv4Address destination = ip4(10, 3, 0, 1);
  uint8_t protocol = net::kProtocolTcp;
  uint8_t ttl = 64;
  uint8_t tos = 0;
  uint16_t id = 0;
  uint16_t fragment = 0x4000;
  Bytes options = {};  // a multiple of four
};

inline Bytes ip4_packet(const Ip4& ip, const Bytes& payload) {
  const size_t header = 20 + ip.options.size();
  Bytes bytes = {static_cast<uint8_t>(0x40 | header / 4), ip.tos};
  put16(bytes, static_cast<uint16_t>(header + payload.size()));
  put16(bytes, ip.id);
  put16(bytes, ip.fragment);
  bytes.push_back(ip.ttl);
  bytes.push_back(ip.protocol);
  put16(bytes, 0);
  bytes = bytes + bytes_of(ip.source) + bytes_of(ip.destination) + ip.options;
  store_checksum(bytes, 10, reference_checksum(bytes));
  return bytes + payload;
}

/// Of `upper`, whose checksum field holds zero, or is right where this is zero.
inline uint16_t checksum6(const net::Ipv6Address& source, const net::Ipv6Address& destination,
                          uint8_t protocol, const Bytes& upper) {
  Bytes all = bytes_of(source) + bytes_of(destination);
  put32(all, static_cast<uint32_t>(upper.size()));
  put32(all, protocol);
  return reference_checksum(all + upper);
}
inline uint16_t checksum4(net::Ipv4Address source, net::Ipv4Address destination, uint8_t protocol,
                          const Bytes& upper) {
  Bytes all = bytes_of(source) + bytes_of(destination);
  put16(all, protocol);
  put16(all, static_cast<uint16_t>(upper.size()));
  return reference_checksum(all + upper);
}

/// Behind an IPv6 header, checksum made.
inline Bytes icmp6(const net::Ipv6Address& source, const net::Ipv6Address& destination,
                   uint8_t type, uint8_t code, uint32_t rest, const Bytes& data) {
  Bytes bytes = {type, code, 0, 0};
  put32(bytes, rest);
  bytes = bytes + data;
  store_checksum(bytes, 2, checksum6(source, destination, net::kProtocolIcmpv6, bytes));
  return bytes;
}
inline Bytes icmp4(uint8_t type, uint8_t code, uint32_t rest, const Bytes& data) {
  Bytes bytes = {type, code, 0, 0};
  put32(bytes, rest);
  bytes = bytes + data;
  store_checksum(bytes, 2, reference_checksum(bytes));
  return bytes;
}

}  // namespace sluice::test
