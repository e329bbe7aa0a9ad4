// SPDX-License-Identifier: BSD-3-Clause
// IPv6 (RFC 8200): what kind an address is, a bounded walk over extension headers, checksums of
// what it carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace sluice::net {

// Addresses (RFC 4291).

inline constexpr Ipv6Address kUnspecifiedIpv6{};
inline constexpr Ipv6Address kAllNodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
/// All routers that know MLDv2 (RFC 3810, section 5.2.14): where reports go.
inline constexpr Ipv6Address kAllMldv2Routers{
    {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16}};

/// RFC 4291, section 2.5.2.
constexpr bool is_unspecified(const Ipv6Address& ip) {
  return number_of(ip) == 0;
}
/// RFC 4291, section 2.7.
constexpr bool is_multicast(const Ipv6Address& ip) {
  return ip.bytes[0] == 0xff;
}
/// RFC 4291, section 2.5.6.
constexpr bool is_link_local(const Ipv6Address& ip) {
  return ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
}
/// RFC 4291, section 2.5.5.2: ::ffff:0:0/96, which no packet on a wire carries.
constexpr bool is_v4_mapped(const Ipv6Address& ip) {
  return number_of(ip) >> 32 == 0xffff;
}

/// Whether a packet may come from there: not a group (RFC 4291, section 2.7), nor :: and ::1
/// (sections 2.5.2 and 2.5.3), nor a mapped address. Duplicate address detection and MLD do send
/// from ::; whoever reads those asks for it there.
constexpr bool ipv6_source_possible(const Ipv6Address& ip) {
  return !is_multicast(ip) && number_of(ip) > 1 && !is_v4_mapped(ip);
}

/// RFC 4291, section 2.7.1: ff02::1:ff00:0/104 and the last 24 bits of the address.
constexpr Ipv6Address solicited_node_multicast(const Ipv6Address& ip) {
  Ipv6Address group{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};
  for (size_t i = 13; i < 16; ++i) group.bytes[i] = ip.bytes[i];
  return group;
}
/// Of any address.
constexpr bool is_solicited_node_multicast(const Ipv6Address& ip) {
  return solicited_node_multicast(ip) == ip;
}

/// Where Ethernet carries a group (RFC 2464, section 7).
constexpr MacAddress multicast_mac(const Ipv6Address& group) {
  const auto& b = group.bytes;
  return {{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

/// fe80:: and the modified EUI-64 of the MAC (RFC 2464, sections 4 and 5).
constexpr Ipv6Address link_local_of(const MacAddress& mac) {
  const auto& m = mac.bytes;
  const auto first = static_cast<uint8_t>(m[0] ^ 2);  // universal or local
  return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, first, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

// Headers.

/// A header without a flow label.
constexpr Ipv6Header make_ipv6_header(uint8_t protocol, uint16_t payload_length, uint8_t hop_limit,
                                      const Ipv6Address& source, const Ipv6Address& destination,
                                      uint8_t traffic_class = 0) {
  return {be32::from_host(uint32_t{6} << 28 | uint32_t{traffic_class} << 20),
          be16::from_host(payload_length),
          protocol,
          hop_limit,
          source,
          destination};
}

/// What the walk ends at. The headers of IPsec are not known: no packet that they guard outlives
/// a translation of its addresses.
enum class Ipv6Fault : uint8_t {
  kNone,
  kTruncated,            // a header reaches beyond the bytes that are there
  kTooManyHeaders,       // more than kExtensionHeadersMax or kExtensionBytesMax
  kBadOptions,           // an option reaches beyond its header
  kRoutingSegmentsLeft,  // a routing header wants us to forward (RFC 8200, section 4.4)
  kUnknownNextHeader,    // neither an extension header we know nor TCP, UDP, ICMPv6
  kNoNextHeader,         // nothing behind it (RFC 8200, section 4.7)
};

inline constexpr uint8_t kExtensionHeadersMax = 8;
inline constexpr uint16_t kExtensionBytesMax = 256;

/// What stands behind the IPv6 header.
struct Ipv6Payload {
  Ipv6Fault fault = Ipv6Fault::kNone;
  uint8_t protocol = 0;      // of the upper layer; the number that is not known, with that fault
  bool is_fragment = false;  // offset is then that of the fragment's data
  bool has_fragment_header = false;  // an atomic fragment's too, which is no fragment (RFC 6946)
  bool has_router_alert = false;     // among the hop-by-hop options (RFC 2711)
  uint16_t offset = 0;               // of the upper layer, from the end of the IPv6 header
  uint16_t named_at = 0;  // of the byte that named `protocol`, from the IPv6 header's beginning
  be32 fragment_id{0};
};

/// Walks from header to header (RFC 8200, section 4) until the upper layer, a fragment or a fault.
/// `behind_header`: what the payload length covers and is there; not more.
Ipv6Payload find_upper_layer(const Ipv6Header& ip, std::span<const uint8_t> behind_header);

// Checksums.

/// Of TCP, UDP and ICMPv6 (RFC 8200, section 8.1). The destination is the final one.
inline uint64_t pseudo_header_sum(const Ipv6Address& source, const Ipv6Address& destination,
                                  uint8_t protocol, uint32_t length) {
  return checksum_sum(source.bytes.data(), 16) + checksum_sum(destination.bytes.data(), 16) +
         be32::from_host(length).raw + be16::from_host(protocol).raw;
}

/// Of TCP and ICMPv6 with its own checksum in it.
inline bool checksum_ok(const Ipv6Address& source, const Ipv6Address& destination, uint8_t protocol,
                        std::span<const uint8_t> bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  return checksum_fold(pseudo_header_sum(source, destination, protocol, length) +
                       checksum_sum(bytes.data(), bytes.size())) == 0xffff;
}

/// Of a datagram, header and payload: zero, "none", is wrong (RFC 8200, section 8.1; the tunnels of
/// RFC 6936 do not concern us).
inline bool udp_checksum_ok(const Ipv6Address& source, const Ipv6Address& destination,
                            std::span<const uint8_t> datagram) {
  const auto& udp = *reinterpret_cast<const UdpHeader*>(datagram.data());
  return udp.checksum.raw != 0 && checksum_ok(source, destination, kProtocolUdp, datagram);
}

/// What to write where the checksum stands, which is zero now. UDP's is never 0 (RFC 8200, section
/// 8.1).
inline be16 checksum_of(const Ipv6Address& source, const Ipv6Address& destination, uint8_t protocol,
                        std::span<const uint8_t> bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  const be16 checksum = checksum_of(pseudo_header_sum(source, destination, protocol, length) +
                                    checksum_sum(bytes.data(), bytes.size()));
  return checksum.raw == 0 && protocol == kProtocolUdp ? be16{0xffff} : checksum;
}

}  // namespace sluice::net
