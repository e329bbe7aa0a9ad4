// SPDX-License-Identifier: BSD-3-Clause
// ICMP (RFC 792): echo answers, and errors that carry a piece of a translated packet (RFC 5508).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/parse.h"
#include "dataplane/net/protocol.h"
#include "dataplane/net/rewrite.h"

namespace sluice::net {

/// Of ICMP and of ICMPv6.
bool icmp_checksum_ok(const Packet& packet);

/// Turns an echo request into its answer in place; IP addresses swapped, TTL fresh.
void icmp_echo_answer(Packet& packet);

bool icmp_is_error(const IcmpHeader& icmp);

/// The packet that an ICMP error quotes: its addresses, and where its ports stand. At least eight
/// bytes behind IP are there (RFC 792): of TCP ports and sequence number, of UDP all of its header.
struct Quoted {
  Protocol protocol;
  Ipv4Header* ip;
  union {
    TcpHeader* tcp;  // only the first eight bytes are known to be there
    UdpHeader* udp;
  };
  Ipv4Endpoint source;
  Ipv4Endpoint destination;
};

/// Of TCP or UDP; nothing of anything else.
std::optional<Quoted> icmp_quoted(Packet& packet);

/// Rewrites an error on its way to whoever sent the quoted packet: the outer header becomes
/// `outer_source > outer_destination`, the quoted packet gets back the addresses and the sequence
/// number that its sender gave it. Checksums of the outer and the inner IP header, of ICMP and of
/// quoted UDP are kept right; that of quoted TCP may be cut off, and is left as it is.
void icmp_translate_error(Packet& packet, const Quoted& quoted, Ipv4Address outer_source,
                          Ipv4Address outer_destination, Ipv4Endpoint quoted_source,
                          Ipv4Endpoint quoted_destination, uint32_t sequence_addend);

namespace icmp_code {
inline constexpr uint8_t kTtlExceeded = 0;         // kTimeExceeded
inline constexpr uint8_t kNetworkUnreachable = 0;  // kUnreachable
inline constexpr uint8_t kProtocolUnreachable = 2;
inline constexpr uint8_t kPortUnreachable = 3;
inline constexpr uint8_t kFragmentationNeeded = 4;
}  // namespace icmp_code

/// An error of ours.
struct IcmpError {
  Ipv4Address source;
  Ipv4Address destination;
  uint8_t type;      // icmp_type
  uint8_t code;      // icmp_code
  uint16_t mtu = 0;  // of the way on, with kFragmentationNeeded (RFC 1191, section 4)
};

/// As much of a packet as an error may quote (RFC 1812, section 4.3.2.3).
inline constexpr uint16_t kIcmpErrorLengthMax = 576;
inline constexpr uint16_t kIcmpQuoteLengthMax =
    kIcmpErrorLengthMax - sizeof(Ipv4Header) - sizeof(IcmpHeader);

/// The error quotes `quote`, at most kIcmpQuoteLengthMax bytes. It is written behind room for an
/// Ethernet header; returns the frame's length.
uint16_t write_icmp_error(uint8_t* frame, const IcmpError& fields, std::span<const uint8_t> quote);

}  // namespace sluice::net
