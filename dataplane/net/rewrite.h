// SPDX-License-Identifier: BSD-3-Clause
// The NAT itself: addresses, ports, TTL, and the rare shift of sequence numbers and timestamps.
//
// The checksum deltas of a flow are worked out once, when it begins. A SeqAdjust is what the "fit"
// of a reused tuple adds on the client's side of the numbers and takes off on the way back; a flow
// without one never comes here for it.
#pragma once

#include <cstdint>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/parse.h"

namespace sluice::net {

/// What a change of addresses and ports does to the checksums that cover them; folded.
struct Deltas {
  uint16_t ip;   // of the addresses
  uint16_t tcp;  // of addresses (pseudo header) and ports

  /// Of the way back: there the same words change places.
  constexpr Deltas reversed() const {
    return {static_cast<uint16_t>(~ip), static_cast<uint16_t>(~tcp)};
  }
};

/// The deltas of turning `from_source > from_destination` into `source > destination`.
Deltas make_deltas(Endpoint from_source, Endpoint from_destination, Endpoint source,
                   Endpoint destination);

/// Addresses that packets of one direction get.
struct Translation {
  Endpoint source;
  Endpoint destination;
  Deltas deltas;
};
static_assert(sizeof(Translation) == 16);

/// Addresses, ports and TTL, checksums kept. The caller has seen to it that TTL > 1.
[[gnu::always_inline]] inline void translate(Packet& packet, const Translation& to) {
  Ipv4Header& ip = *packet.ip;
  TcpHeader& tcp = *packet.tcp;
  ip.source = to.source.ip;
  ip.destination = to.destination.ip;
  ip.ttl = static_cast<uint8_t>(ip.ttl - 1);
  // TTL is the low byte in memory of its word: one less there is 0xfffe more in one's complement.
  constexpr uint32_t kTtlDelta = 0xfffe;
  ip.checksum = ChecksumDelta::apply(ip.checksum, kTtlDelta + to.deltas.ip);
  tcp.source_port = to.source.port;
  tcp.destination_port = to.destination.port;
  tcp.checksum = ChecksumDelta::apply(tcp.checksum, to.deltas.tcp);
}

/// Takes translate() back, TTL included: the packet is again what its sender sent. `original` has
/// the addresses that it had, and the deltas towards them.
void untranslate(Packet& packet, const Translation& original);

/// Lowers the maximum segment size that a SYN states, where it states a larger one.
void clamp_mss(TcpHeader& tcp, uint16_t mss_max);

/// Offsets of a adjusted flow, mod 2^32: backend's view = client's view + offset.
struct SeqAdjust {
  uint32_t sequence = 0;
  uint32_t timestamp = 0;

  constexpr bool any() const { return (sequence | timestamp) != 0; }
  constexpr SeqAdjust reversed() const { return {0 - sequence, 0 - timestamp}; }
};

/// Client to backend: adds to the sequence number and TSval.
void adjust_inbound(TcpHeader& tcp, SeqAdjust adjust);
/// Backend to client: takes off the acknowledgement, SACK edges and TSecr.
void adjust_outbound(TcpHeader& tcp, SeqAdjust adjust);

}  // namespace sluice::net
