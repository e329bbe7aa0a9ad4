// SPDX-License-Identifier: BSD-3-Clause
// Fragments, or word to the sender.
#include "dataplane/stage/too_large.h"

#include "dataplane/net/fragment.h"
#include "dataplane/port/datagram_mark.h"
#include "dataplane/stage/fragments.h"
#include "dataplane/stage/tell_sender.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// Gives the packet back the addresses and ports that its sender gave it.
void untranslate(const Core& core, const Flow& flow, net::Packet& packet, Direction direction) {
  if (direction == Direction::kInbound) {
    net::untranslate(packet, {core.client(flow).v4(), core.vip(flow).v4(), flow.deltas.reversed()});
  } else {
    net::untranslate(packet, {core.backend_address(flow).v4(), core.local(flow).v4(), flow.deltas});
  }
}

/// How large fragments may be; 0: its sender wants none. One who cut the packet himself, with DF,
/// has measured the path by what he sent.
uint16_t fragment_size(const net::Ipv4Header& ip, const rte_mbuf* buffer, uint16_t mtu) {
  if (net::may_fragment(ip)) return mtu;
  const uint16_t came_as = largest_fragment(buffer);
  return came_as <= mtu ? came_as : uint16_t{0};
}

}  // namespace

Verdict too_large(Core& core, Flow& flow, Segment& segment, Direction direction) {
  NextHop& hop = direction == Direction::kInbound ? core.backend(flow).next_hop : flow.to_client;
  const uint16_t mtu = core.next_hops.mtu(*core.snapshot, hop);
  const net::Ipv4Header& ip = *segment.packet.ip;
  if (ip.total_length.host() <= mtu) {  // it is what stands behind the packet that is too much
    const size_t frame = sizeof(net::EthernetHeader) + ip.total_length.host();
    rte_pktmbuf_trim(segment.buffer, static_cast<uint16_t>(segment.buffer->pkt_len - frame));
    return core.next_hops.try_send(*core.snapshot, segment.buffer, ip.destination, hop,
                                   core.now_ms);
  }
  const uint16_t size = fragment_size(ip, segment.buffer, mtu);
  if (size != 0) return send_fragments(core, segment, size, hop);
  untranslate(core, flow, segment.packet, direction);
  tell_sender(core, flow, segment, direction, mtu);
  return DropReason::mtu_exceeded;
}

}  // namespace sluice
