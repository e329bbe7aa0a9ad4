// SPDX-License-Identifier: BSD-3-Clause
// Neighbour discovery.
#include "dataplane/stage/nd_input.h"

#include <algorithm>
#include <optional>

#include "dataplane/net/nd.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/port/datagram_mark.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/ownership.h"

namespace sluice {

using net::DropReason;
using net::NdMessage;
using net::NdType;
using net::Verdict;

namespace {

std::span<const uint8_t> message_of(const net::Packet& packet) {
  return {reinterpret_cast<const uint8_t*>(packet.icmp), packet.l4_length};
}

/// RFC 6980, section 5: not even in one fragment.
bool has_fragment_header(const net::Packet& packet) {
  if (packet.ip_header_length() == sizeof(net::Ipv6Header)) return false;
  const auto* behind = reinterpret_cast<const uint8_t*>(packet.ip6 + 1);
  const auto headers =
      net::find_upper_layer(*packet.ip6, {behind, packet.ip6->payload_length.host()});
  return headers.has_fragment_header;
}

std::optional<NdMessage> read_message(const net::Packet& packet) {
  const net::Ipv6Header& ip = *packet.ip6;
  const auto message = message_of(packet);
  if (!net::checksum_ok(ip.source, ip.destination, net::kProtocolIcmpv6, message) ||
      has_fragment_header(packet)) {
    return {};
  }
  return net::read_nd(message, ip.hop_limit, ip.source, ip.destination);
}

/// Ours on whatever interface, but for link-local addresses: the same may be somebody's elsewhere.
bool is_ours(const Snapshot& snapshot, const net::Ipv6Address& ip, uint16_t interface) {
  if (net::is_link_local(ip)) return snapshot.is_own(ip, interface);
  return snapshot.v6.source_fault(ip, interface) == SourceFault::kOwn;
}

bool is_our_mac(const Snapshot& snapshot, const net::MacAddress& mac) {
  const auto has_it = [&](const InterfaceView& view) { return view.mac == mac; };
  return std::ranges::any_of(snapshot.interfaces, has_it);
}

/// Somebody else has an address of ours, or wants it. We keep it: a forged message must not take a
/// VIP away (RFC 4862, section 5.4 has a host give it up).
void note_conflict(Core& core, const net::Ipv6Address& ip, const net::MacAddress& claimed,
                   uint16_t interface) {
  if (core.taken_over() || !core.snapshot->is_own(ip, interface)) return;
  core.next_hops6.note_own_conflict(*core.snapshot, ip, claimed, interface);
}

/// The advertisement takes the solicitation's buffer.
Verdict answer(Core& core, Segment& segment, const NdMessage& read, uint16_t interface) {
  rte_mbuf* buffer = segment.buffer;
  const net::MacAddress asker = read.link_address.value_or(segment.packet.ethernet->source);
  const net::NdRecipient to = net::nd_answer_to(segment.packet.ip6->source, asker);
  const uint32_t length = buffer->pkt_len;
  if (length < net::kNdFrameLengthMax) {
    const auto more = static_cast<uint16_t>(net::kNdFrameLengthMax - length);
    if (rte_pktmbuf_append(buffer, more) == nullptr) return DropReason::mbuf_exhausted;
  } else {
    rte_pktmbuf_trim(buffer, static_cast<uint16_t>(length - net::kNdFrameLengthMax));
  }
  const InterfaceView& view = core.snapshot->interfaces[interface];
  net::write_advertisement({rte_pktmbuf_mtod(buffer, uint8_t*), net::kNdFrameLengthMax}, view.mac,
                           read.target, to, true);
  core.count(Event::nd_solicitations_answered);
  core.tx.send(view.port, buffer);
  return net::Fate::kSent;
}

Verdict solicitation_input(Core& core, Segment& segment, const NdMessage& read,
                           uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  const net::Ipv6Address& source = segment.packet.ip6->source;
  const net::MacAddress mac = read.link_address.value_or(segment.packet.ethernet->source);
  if (mac == net::MacAddress{} || mac.is_multicast() || is_our_mac(snapshot, mac)) {
    return DropReason::nd_bad;
  }
  if (!read.is_dad && is_ours(snapshot, source, interface)) {
    note_conflict(core, source, mac, interface);
    return DropReason::nd_bad;
  }
  const bool for_us = snapshot.is_own(read.target, interface);
  if (read.is_dad) {
    note_conflict(core, read.target, mac, interface);
  } else if (read.link_address) {
    core.next_hops6.learn(snapshot,
                          {.ip = source, .mac = mac, .overrides = true, .confirms = false},
                          interface, for_us, !core.taken_over(), core.now_ms);
    // Each worker asks for itself, and knows who asked.
    if (for_us) hand_copies(core, segment, interface);
  }
  if (!for_us || core.taken_over()) return link_news(core, segment, interface);
  return answer(core, segment, read, interface);
}

Verdict advertisement_input(Core& core, Segment& segment, const NdMessage& read,
                            uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  if (is_ours(snapshot, read.target, interface)) {
    note_conflict(core, read.target, read.link_address.value_or(segment.packet.ethernet->source),
                  interface);
    return DropReason::nd_bad;
  }
  if (read.link_address == net::MacAddress{} ||
      (read.link_address && is_our_mac(snapshot, *read.link_address))) {
    return DropReason::nd_bad;
  }
  core.next_hops6.learn(snapshot,
                        {.ip = read.target,
                         .mac = read.link_address,
                         .overrides = read.overrides,
                         .confirms = read.is_solicited},
                        interface, false, !core.taken_over(), core.now_ms);
  // One worker receives the answers, and announcements concern all as well.
  const net::Ipv6Address& to = segment.packet.ip6->destination;
  if (net::is_multicast(to) || snapshot.is_own(to, interface)) {
    hand_copies(core, segment, interface);
  }
  return link_news(core, segment, interface);
}

}  // namespace

Verdict link_news(Core& core, Segment& segment, uint16_t interface) {
  if (!core.taken_over() && core.kernel_rings[interface] != nullptr) {
    return give_to_kernel(core, segment.buffer, interface);
  }
  core.count(Event::nd_consumed);
  rte_pktmbuf_free(segment.buffer);
  return net::Fate::kConsumed;
}

Verdict nd_input(Core& core, Segment& segment, uint16_t interface) {
  if (largest_fragment(segment.buffer) != 0) return DropReason::nd_bad;  // RFC 6980
  const std::optional<NdMessage> read = read_message(segment.packet);
  if (!read) return DropReason::nd_bad;
  switch (read->type) {
    case NdType::kSolicitation:
      return solicitation_input(core, segment, *read, interface);
    case NdType::kAdvertisement:
      return advertisement_input(core, segment, *read, interface);
    case NdType::kOther:
      break;
  }
  return link_news(core, segment, interface);
}

}  // namespace sluice
