// SPDX-License-Identifier: BSD-3-Clause
// Checksum deltas of a translation, and the shifts of adjusted flows.
#include "dataplane/net/rewrite.h"

#include <cstring>

#include "dataplane/net/tcp_options.h"

namespace sluice::net {
namespace {

/// Adds to a 32-bit field of the segment and keeps the delta.
void add_to_word(TcpHeader& tcp, uint8_t offset, uint32_t addend, ChecksumDelta& delta) {
  be32& word = tcp_word_at(tcp, offset);
  const be32 changed = be32::from_host(word.host() + addend);
  delta.replace_at(offset, word, changed);
  word = changed;
}

/// The addresses of two families have words of different number.
void replace(ChecksumDelta& delta, const IpAddress& from, const IpAddress& to) {
  if (from.is_v4() && to.is_v4()) return delta.replace(from.v4(), to.v4());
  const auto add = [&delta](const IpAddress& ip, bool taken_out) {
    be32 word;
    for (auto rest = ip.bytes(); !rest.empty(); rest = rest.subspan(sizeof word)) {
      std::memcpy(&word, rest.data(), sizeof word);
      delta.replace(taken_out ? word : be32{0}, taken_out ? be32{0} : word);
    }
  };
  add(from, true);
  add(to, false);
}

constexpr uint8_t kSequenceOffset = 4;
constexpr uint8_t kAcknowledgementOffset = 8;

}  // namespace

Deltas make_deltas(const Endpoint& from_source, const Endpoint& from_destination,
                   const Endpoint& source, const Endpoint& destination) {
  ChecksumDelta delta;
  replace(delta, from_source.ip, source.ip);
  replace(delta, from_destination.ip, destination.ip);
  const uint16_t ip_delta = delta.folded();
  delta.replace(from_source.port, source.port);
  delta.replace(from_destination.port, destination.port);
  return {ip_delta, delta.folded()};
}

void untranslate(Packet& packet, const Translation& original) {
  Ipv4Header& ip = *packet.ip;
  ip.source = original.source.ip;
  ip.destination = original.destination.ip;
  ip.ttl = static_cast<uint8_t>(ip.ttl + 1);
  ip.checksum = {0};
  ip.checksum = checksum_of(checksum_sum(&ip, ip.header_length()));
  packet.ports->source_port = original.source.port;
  packet.ports->destination_port = original.destination.port;
  if (packet.kind == Packet::Kind::kUdp) {
    apply_delta(*packet.udp, original.deltas.l4);
  } else {
    apply_delta(*packet.tcp, original.deltas.l4);
  }
}

void clamp_mss(TcpHeader& tcp, uint16_t mss_max) {
  const uint8_t at = parse_tcp_options(tcp).mss_offset;
  if (at == 0) return;  // 536 then (RFC 9293, section 3.7.1)
  be16& mss = *reinterpret_cast<be16*>(reinterpret_cast<uint8_t*>(&tcp) + at);
  if (mss.host() <= mss_max) return;
  const be16 lowered = be16::from_host(mss_max);
  ChecksumDelta delta;
  delta.replace(mss, lowered);
  const bool odd = (at & 1) != 0;  // RFC 1071, section 2B
  const uint16_t folded = odd ? __builtin_bswap16(delta.folded()) : delta.folded();
  tcp.checksum = ChecksumDelta::apply(tcp.checksum, folded);
  mss = lowered;
}

void adjust_inbound(TcpHeader& tcp, SeqAdjust adjust) {
  ChecksumDelta delta;
  if (adjust.sequence != 0) add_to_word(tcp, kSequenceOffset, adjust.sequence, delta);
  if (adjust.timestamp != 0) {
    if (const uint8_t at = find_timestamps(tcp)) add_to_word(tcp, at, adjust.timestamp, delta);
  }
  tcp.checksum = delta.applied_to(tcp.checksum);
}

void adjust_outbound(TcpHeader& tcp, SeqAdjust adjust) {
  if (!tcp.has(tcp_flag::kAck)) return;  // neither field means anything (RFC 7323, section 3.2)
  ChecksumDelta delta;
  const TcpOptions options = parse_tcp_options(tcp);
  if (adjust.sequence != 0) {
    add_to_word(tcp, kAcknowledgementOffset, 0 - adjust.sequence, delta);
    for (uint8_t i = 0; i < options.sack_edge_count; ++i) {
      const auto at = static_cast<uint8_t>(options.sack_offset + 4 * i);
      add_to_word(tcp, at, 0 - adjust.sequence, delta);
    }
  }
  if (adjust.timestamp != 0 && options.has_timestamps()) {
    const auto at = static_cast<uint8_t>(options.timestamps_offset + 4);
    add_to_word(tcp, at, 0 - adjust.timestamp, delta);
  }
  tcp.checksum = delta.applied_to(tcp.checksum);
}

}  // namespace sluice::net
