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
  uint16_t ip;  // of the addresses; only of IPv4 to IPv4
  uint16_t l4;  // of addresses (pseudo header) and ports

  /// Of the way back: there the same words change places.
  constexpr Deltas reversed() const {
    return {static_cast<uint16_t>(~ip), static_cast<uint16_t>(~l4)};
  }
};

/// The deltas of turning `from_source > from_destination` into `source > destination`.
/// Of whatever families; `ip` is right where all are IPv4. What TCP and UDP sum up of a pseudo
/// header beside addresses is the same in both families.
Deltas make_deltas(const Endpoint& from_source, const Endpoint& from_destination,
                   const Endpoint& source, const Endpoint& destination);

/// Addresses that packets of one direction get. `Address` is that of a family; a family has a
/// translate_network() besides.
template <class Address>
struct TranslationOf {
  EndpointOf<Address> source;
  EndpointOf<Address> destination;
  Deltas deltas;
};
using Translation = TranslationOf<Ipv4Address>;
using Translation6 = TranslationOf<Ipv6Address>;
static_assert(sizeof(Translation) == 16);

[[gnu::always_inline]] inline void translate_network(Ipv4Header& ip, const Translation& to) {
  ip.source = to.source.ip;
  ip.destination = to.destination.ip;
  ip.ttl = static_cast<uint8_t>(ip.ttl - 1);
  // TTL is the low byte in memory of its word: one less there is 0xfffe more in one's complement.
  constexpr uint32_t kTtlDelta = 0xfffe;
  ip.checksum = ChecksumDelta::apply(ip.checksum, kTtlDelta + to.deltas.ip);
}

/// The flow label is the sender's and stays (RFC 6437, section 3).
[[gnu::always_inline]] inline void translate_network(Ipv6Header& ip, const Translation6& to) {
  ip.source = to.source.ip;
  ip.destination = to.destination.ip;
  ip.hop_limit = static_cast<uint8_t>(ip.hop_limit - 1);
}

[[gnu::always_inline]] inline void apply_delta(TcpHeader& tcp, uint16_t delta) {
  tcp.checksum = ChecksumDelta::apply(tcp.checksum, delta);
}
/// RFC 768: no checksum stays none, and one that comes out as zero is sent as all ones.
[[gnu::always_inline]] inline void apply_delta(UdpHeader& udp, uint16_t delta) {
  if (udp.checksum.raw == 0) return;
  const be16 changed = ChecksumDelta::apply(udp.checksum, delta);
  udp.checksum = changed.raw == 0 ? be16::from_host(UINT16_MAX) : changed;
}

/// Addresses, ports and TTL, checksums kept. The caller has seen to it that TTL > 1.
template <class Network, class Transport, class Address>
[[gnu::always_inline]] inline void translate(Network& network, Transport& transport,
                                             const TranslationOf<Address>& to) {
  translate_network(network, to);
  transport.source_port = to.source.port;
  transport.destination_port = to.destination.port;
  apply_delta(transport, to.deltas.l4);
}

/// The same of a packet whose kind is not known where it is written: TCP or UDP.
inline void translate(Packet& packet, const Translation& to) {
  if (packet.kind == Packet::Kind::kUdp) {
    translate(*packet.ip, *packet.udp, to);
  } else {
    translate(*packet.ip, *packet.tcp, to);
  }
}

/// Takes translate() back, TTL included: the packet is again what its sender sent. `original` has
/// the addresses that it had, and the deltas towards them. TCP or UDP.
void untranslate(Packet& packet, const Translation& original);

/// Lowers the maximum segment size that a SYN states, where it states a larger one.
void clamp_mss(TcpHeader& tcp, uint16_t mss_max);

/// What stands in front of a client's bytes at its backend, where Sluice has put something there,
/// means nothing to the client. Such a segment of the backend acknowledges `first` then, the
/// client's first byte there, and its window (`scale`: of its field) ends where it did; SACK blocks
/// below it go, and all of them while it acknowledges less.
void hide_below(TcpHeader& tcp, uint32_t first, uint8_t scale);

/// Writes NOPs over options that ask for data on SYNs (RFC 7413, and its experimental form).
void remove_fast_open(TcpHeader& tcp);

/// Adds to the sequence number.
void add_to_sequence(TcpHeader& tcp, uint32_t addend);
/// Another value for a word at an offset from the header's begin.
void put_word(TcpHeader& tcp, uint8_t offset, uint32_t value);
/// Another window.
void set_window(TcpHeader& tcp, uint16_t window);

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
