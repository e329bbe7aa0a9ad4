// SPDX-License-Identifier: BSD-3-Clause
// Whether what a packet carries has a right checksum, over IP of either family.
//
// Not inlined: segments that change no state are not asked, and ought to pay nothing for its loop.
#pragma once

#include "dataplane/net/checksum.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/parse.h"

namespace sluice::net {

/// Of `length` bytes of a protocol, with the packet's addresses.
inline uint64_t pseudo_header_sum(const Packet& packet, uint8_t protocol, uint16_t length) {
  return packet.is_v6
             ? pseudo_header_sum(packet.ip6->source, packet.ip6->destination, protocol, length)
             : pseudo_header_sum(*packet.ip, length);
}

[[gnu::noinline]] inline bool tcp_checksum_ok(const Packet& packet) {
  return checksum_fold(pseudo_header_sum(packet, kProtocolTcp, packet.l4_length) +
                       checksum_sum(packet.tcp, packet.l4_length)) == 0xffff;
}

/// Over IPv4 a datagram without a checksum is right (RFC 768); over IPv6 parse() lets none through.
/// What IP carries behind it is not covered.
[[gnu::noinline]] inline bool udp_checksum_ok(const Packet& packet) {
  const uint16_t length = packet.udp->length.host();
  return packet.udp->checksum.raw == 0 ||
         checksum_fold(pseudo_header_sum(packet, kProtocolUdp, length) +
                       checksum_sum(packet.udp, length)) == 0xffff;
}

}  // namespace sluice::net
