// SPDX-License-Identifier: BSD-3-Clause
// Checksum deltas of a translation, and the shifts of adjusted flows.
#include "dataplane/net/rewrite.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/serial.h"
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

void add_to_sequence(TcpHeader& tcp, uint32_t addend) {
  ChecksumDelta delta;
  add_to_word(tcp, kSequenceOffset, addend, delta);
  tcp.checksum = delta.applied_to(tcp.checksum);
}

void put_word(TcpHeader& tcp, uint8_t offset, uint32_t value) {
  be32& word = tcp_word_at(tcp, offset);
  const be32 changed = be32::from_host(value);
  ChecksumDelta delta;
  delta.replace_at(offset, word, changed);
  tcp.checksum = delta.applied_to(tcp.checksum);
  word = changed;
}

void set_window(TcpHeader& tcp, uint16_t window) {
  const be16 changed = be16::from_host(window);
  ChecksumDelta delta;
  delta.replace(tcp.window, changed);
  tcp.checksum = delta.applied_to(tcp.checksum);
  tcp.window = changed;
}

namespace {

constexpr uint8_t kNoOperation = 1;

/// Changes the options and keeps the checksum; they begin and end at even offsets.
template <class Change>
void change_options(TcpHeader& tcp, Change&& change) {
  uint8_t* const options = reinterpret_cast<uint8_t*>(&tcp + 1);
  const size_t length = tcp.header_length() - sizeof tcp;
  const auto before = static_cast<uint16_t>(~checksum_fold(checksum_sum(options, length)));
  change(options, length);
  const uint16_t after = checksum_fold(checksum_sum(options, length));
  tcp.checksum = ChecksumDelta::apply(tcp.checksum, uint32_t{before} + after);
}

/// Moves the blocks of a SACK option that end beyond `first` to its front, begun there at least,
/// and fills up with NOPs.
void keep_sack_above(TcpHeader& tcp, const TcpOptions& found, uint32_t first, bool none) {
  change_options(tcp, [&](uint8_t* options, size_t) {
    uint8_t* const blocks = options + found.sack_offset - sizeof tcp;
    uint8_t* to = blocks;
    for (uint8_t i = 0; i + 1 < found.sack_edge_count && !none; i += 2) {
      be32 edges[2];
      std::memcpy(edges, blocks + 4 * i, sizeof edges);
      if (!serial_after(edges[1].host(), first)) continue;
      if (serial_after(first, edges[0].host())) edges[0] = be32::from_host(first);
      std::memcpy(to, edges, sizeof edges);
      to += sizeof edges;
    }
    uint8_t* const end = blocks + 4 * found.sack_edge_count;
    if (to == blocks) to -= 2;  // its kind and length too
    if (to > blocks) blocks[-1] = static_cast<uint8_t>(to - blocks + 2);
    std::fill(to, end, kNoOperation);
  });
}

}  // namespace

void hide_below(TcpHeader& tcp, uint32_t first, uint8_t scale) {
  if (!tcp.has(tcp_flag::kAck)) return;
  const uint32_t missing = first - tcp.acknowledgement.host();
  const bool less = static_cast<int32_t>(missing) > 0;
  const TcpOptions found = parse_tcp_options(tcp);
  if (found.sack_offset != 0) keep_sack_above(tcp, found, first, less);
  if (!less) return;
  const uint32_t taken = (missing + (1u << scale) - 1) >> scale;
  set_window(
      tcp, static_cast<uint16_t>(tcp.window.host() - std::min<uint32_t>(tcp.window.host(), taken)));
  ChecksumDelta delta;
  add_to_word(tcp, kAcknowledgementOffset, missing, delta);
  tcp.checksum = delta.applied_to(tcp.checksum);
}

void remove_fast_open(TcpHeader& tcp) {
  constexpr uint8_t kFastOpen = 34, kExperiment = 254;
  change_options(tcp, [](uint8_t* options, size_t length) {
    for (size_t at = 0; at + 1 < length && options[at] != 0;) {
      if (options[at] == kNoOperation) {
        ++at;
        continue;
      }
      const uint8_t size = options[at + 1];
      if (size < 2 || at + size > length) return;
      const bool experiment = options[at] == kExperiment && size >= 4 && options[at + 2] == 0xf9 &&
                              options[at + 3] == 0x89;
      if (options[at] == kFastOpen || experiment) std::fill_n(options + at, size, kNoOperation);
      at += size;
    }
  });
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
