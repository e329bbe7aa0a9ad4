// SPDX-License-Identifier: BSD-3-Clause
// ICMP (RFC 792): echo answers, and errors that carry a piece of a translated TCP packet (RFC
// 5508).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/parse.h"
#include "dataplane/net/rewrite.h"

namespace sluice::net {

bool icmp_checksum_ok(const Packet& packet);

/// Turns an echo request into its answer in place; IP addresses swapped, TTL fresh.
void icmp_echo_answer(Packet& packet);

bool icmp_is_error(const IcmpHeader& icmp);

/// The TCP packet that an ICMP error quotes: its addresses, and where its ports and sequence stand.
/// At least eight bytes of TCP are there (RFC 792), so ports and sequence number are.
struct Quoted {
  Ipv4Header* ip;
  TcpHeader* tcp;  // only the first eight bytes are known to be there
  Endpoint source;
  Endpoint destination;
};

std::optional<Quoted> icmp_quoted_tcp(Packet& packet);

/// Rewrites an error on its way to whoever sent the quoted packet: the outer header becomes
/// `outer_source > outer_destination`, the quoted packet gets back the addresses and the sequence
/// number that its sender gave it. Checksums of the outer and the inner IP header and of ICMP are
/// kept right.
void icmp_translate_error(Packet& packet, const Quoted& quoted, Ipv4Address outer_source,
                          Ipv4Address outer_destination, Endpoint quoted_source,
                          Endpoint quoted_destination, uint32_t sequence_addend);

/// "Fragmentation needed and DF set" (RFC 1191, section 4) about a packet that is larger than
/// `mtu`.
struct FragmentationNeeded {
  Ipv4Address source;
  Ipv4Address destination;
  uint16_t mtu;
};

/// As much of a packet as an error may quote (RFC 1812, section 4.3.2.3).
inline constexpr uint16_t kIcmpErrorLengthMax = 576;
inline constexpr uint16_t kIcmpQuoteLengthMax =
    kIcmpErrorLengthMax - sizeof(Ipv4Header) - sizeof(IcmpHeader);

/// The error quotes `quote`, at most kIcmpQuoteLengthMax bytes. It is written behind room for an
/// Ethernet header; returns the frame's length.
uint16_t write_fragmentation_needed(uint8_t* frame, const FragmentationNeeded& fields,
                                    std::span<const uint8_t> quote);

}  // namespace sluice::net
