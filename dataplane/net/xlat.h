// SPDX-License-Identifier: BSD-3-Clause
// The network header made anew in the other family (RFC 7915): client and backend may have
// different ones.
//
// Addresses and the hops left are the caller's: full NAT has its own, and RFC 7915 counts the
// translator as a hop, except of packets that are quoted. What TCP and UDP carry stays; their
// checksums change by what the addresses change alone, as lengths and protocols weigh the same in
// both pseudo headers.
#pragma once

#include <cstdint>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/ipv6.h"

namespace sluice::net {

/// Bytes that a packet grows by on its way to IPv6, without IPv4 options and extension headers.
inline constexpr uint16_t kXlatGrowth = sizeof(Ipv6Header) - sizeof(Ipv4Header);

/// ICMP has a number in each family (RFC 7915, sections 4.1 and 5.1).
constexpr uint8_t protocol_in_ipv6(uint8_t protocol) {
  return protocol == kProtocolIcmp ? kProtocolIcmpv6 : protocol;
}
constexpr uint8_t protocol_in_ipv4(uint8_t protocol) {
  return protocol == kProtocolIcmpv6 ? kProtocolIcmp : protocol;
}

/// RFC 7915, section 4.1, of a whole packet: the type of service is the traffic class, the flow
/// label zero; options are dropped. No fragment header is made
/// where DF is not set: a packet too large for its way on is the caller's, with DF to drop and to
/// report, without to send in fragments (section 4).
inline Ipv6Header ipv4_to_ipv6(const Ipv4Header& ip, const Ipv6Address& source,
                               const Ipv6Address& destination, uint8_t hop_limit) {
  const auto length = static_cast<uint16_t>(ip.total_length.host() - ip.header_length());
  return make_ipv6_header(protocol_in_ipv6(ip.protocol), length, hop_limit, source, destination,
                          ip.tos);
}

/// A packet of up to that many bytes may be fragmented on its way through IPv4, where DF says so of
/// larger ones (RFC 7915, section 5.1): that much IPv6 carries anywhere, so nobody whose packets
/// are too large for IPv4 alone has to be told.
inline constexpr uint16_t kXlatDontFragmentAbove = 1280 - kXlatGrowth;

/// Behind the IPv6 header and its extension headers.
constexpr uint32_t upper_layer_length(const Ipv6Header& ip, const Ipv6Payload& payload) {
  return uint32_t{ip.payload_length.host()} - payload.offset;
}

/// Without options, with its checksum. Summed from its parts, which are still in registers.
inline Ipv4Header make_ipv4_header(uint8_t protocol, uint16_t total_length, uint8_t ttl,
                                   Ipv4Address source, Ipv4Address destination, uint8_t tos,
                                   be16 id, be16 fragment) {
  constexpr uint8_t kVersionIhl = 0x45;
  const be16 total = be16::from_host(total_length);
  const uint64_t sum =
      uint64_t{be16::from_host(static_cast<uint16_t>(kVersionIhl << 8 | tos)).raw} + total.raw +
      id.raw + fragment.raw + be16::from_host(static_cast<uint16_t>(ttl << 8 | protocol)).raw +
      source.raw + destination.raw;
  return {kVersionIhl,      tos,    total,      id, fragment, ttl, protocol,
          checksum_of(sum), source, destination};
}

/// RFC 7915, sections 5.1 and 5.1.1, of a whole packet: extension headers are dropped, an atomic
/// fragment gives its Identification and may be fragmented. `id`: the Identification otherwise, of
/// a generator, as small packets may be fragmented.
///
/// The upper layer has at most 65,515 bytes; the payload length covers the extension headers.
inline Ipv4Header ipv6_to_ipv4(const Ipv6Header& ip, const Ipv6Payload& payload, Ipv4Address source,
                               Ipv4Address destination, uint8_t ttl, uint16_t id) {
  const auto total = static_cast<uint16_t>(sizeof(Ipv4Header) + upper_layer_length(ip, payload));
  const bool may_fragment = payload.has_fragment_header || total <= kXlatDontFragmentAbove;
  const auto its_id = static_cast<uint16_t>(payload.fragment_id.host());
  return make_ipv4_header(protocol_in_ipv4(payload.protocol), total, ttl, source, destination,
                          ip.traffic_class(),
                          be16::from_host(payload.has_fragment_header ? its_id : id),
                          be16::from_host(may_fragment ? 0 : 0x4000));
}

}  // namespace sluice::net
