// SPDX-License-Identifier: BSD-3-Clause
// Fragments, or word to the sender.
#include "dataplane/stage/too_large.h"

#include <algorithm>
#include <array>

#include "dataplane/net/fragment.h"
#include "dataplane/net/icmp.h"
#include "dataplane/stage/icmp_error.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

// Of what a buffer holds, by the smallest MTU that IPv4 has (RFC 791).
constexpr uint16_t kFragmentsMax = 48;

struct WayOut {
  net::Ipv4Address destination;
  NextHop& hop;
};

WayOut way_out(Core& core, Flow& flow, Direction direction) {
  if (direction == Direction::kInbound) {
    return {core.backend_address(flow).ip.v4(), core.backend(flow).next_hop};
  }
  return {core.client(flow).ip.v4(), flow.to_client};
}

/// The packet as its sender sent it, and how much of that is surely right. The timestamps before
/// they were on the balancer's clock, and a SYN's MSS before it was clamped, cannot be had back,
/// nor can the checksum over them.
uint16_t restore(Core& core, const Flow& flow, net::Packet& packet, Direction direction) {
  const bool is_tcp = packet.kind == net::Packet::Kind::kTcp;
  if (direction == Direction::kInbound) {
    if (is_tcp) net::adjust_inbound(*packet.tcp, flow.adjust.reversed());
    net::untranslate(packet, {core.client(flow).v4(), core.vip(flow).v4(), flow.deltas.reversed()});
  } else {
    if (is_tcp) net::adjust_outbound(*packet.tcp, flow.adjust.reversed());
    net::untranslate(packet, {core.backend_address(flow).v4(), core.local(flow).v4(), flow.deltas});
  }
  constexpr uint16_t kPortsAndSequence = 8;
  const uint16_t header = packet.ip->header_length();
  const bool options_lost =
      is_tcp && (flow.rewrite_timestamps || packet.tcp->has(net::tcp_flag::kSyn));
  const auto sure = static_cast<uint16_t>(options_lost ? header + kPortsAndSequence
                                                       : packet.ip->total_length.host());
  return std::min(sure, net::kIcmpQuoteLengthMax);
}

/// To whoever sent the packet, from the address that it was sent to.
void tell_sender(Core& core, const Flow& flow, Segment& segment, Direction direction,
                 uint16_t mtu) {
  const uint16_t quoted = restore(core, flow, segment.packet, direction);
  const OwnError error{net::icmp_code::kFragmentationNeeded, mtu, Event::fragmentation_needed_sent,
                       Event::fragmentation_needed_limited};
  send_error(core, *segment.packet.ip, quoted, error);
}

/// The packet becomes its own first fragment once the others have been copied from it.
Verdict send_fragments(Core& core, rte_mbuf* packet, net::Ipv4Header& ip, const WayOut& way,
                       uint16_t mtu) {
  const uint16_t count = net::fragment_count(ip, mtu);
  if (count == 0 || count > kFragmentsMax) return DropReason::mtu_exceeded;
  constexpr uint16_t kEthernet = sizeof(net::EthernetHeader);
  ip.id = net::be16::from_host(core.fragment_id++);  // many senders are one address now (RFC 6864)
  std::array<rte_mbuf*, kFragmentsMax> fragments;
  fragments[0] = packet;
  for (uint16_t i = 1; i < count; ++i) {
    rte_mbuf* made = core.tx.allocate(static_cast<uint16_t>(kEthernet + mtu));
    if (made == nullptr) {
      for (uint16_t each = 1; each < i; ++each) {
        core.tx.drop(fragments[each], DropReason::mtu_exceeded);
      }
      return DropReason::mtu_exceeded;
    }
    const uint16_t length =
        net::write_fragment(ip, mtu, i, rte_pktmbuf_mtod(made, uint8_t*) + kEthernet);
    rte_pktmbuf_trim(made, static_cast<uint16_t>(mtu - length));
    fragments[i] = made;
  }
  const uint16_t first = net::write_fragment(ip, mtu, 0, reinterpret_cast<uint8_t*>(&ip));
  rte_pktmbuf_trim(packet, static_cast<uint16_t>(packet->pkt_len - kEthernet - first));
  for (uint16_t i = 0; i < count; ++i) {
    core.next_hops.send(*core.snapshot, fragments[i], way.destination, way.hop, core.now_ms);
  }
  core.count(Event::packets_fragmented);
  return net::Fate::kSent;
}

}  // namespace

Verdict too_large(Core& core, Flow& flow, Segment& segment, Direction direction) {
  const WayOut way = way_out(core, flow, direction);
  const uint16_t mtu = core.next_hops.mtu(*core.snapshot, way.hop);
  net::Ipv4Header& ip = *segment.packet.ip;
  if (ip.total_length.host() <= mtu) {  // it is what stands behind the packet that is too much
    const size_t frame = sizeof(net::EthernetHeader) + ip.total_length.host();
    rte_pktmbuf_trim(segment.buffer, static_cast<uint16_t>(segment.buffer->pkt_len - frame));
    return core.next_hops.try_send(*core.snapshot, segment.buffer, way.destination, way.hop,
                                   core.now_ms);
  }
  if (net::may_fragment(ip)) return send_fragments(core, segment.buffer, ip, way, mtu);
  tell_sender(core, flow, segment, direction, mtu);
  return DropReason::mtu_exceeded;
}

}  // namespace sluice
