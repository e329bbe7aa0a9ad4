// SPDX-License-Identifier: BSD-3-Clause
// Within IPv6, and between the families.
#include "dataplane/stage/forward_across.h"

#include "dataplane/stage/too_large_across.h"
#include "dataplane/stage/translate_across.h"

namespace sluice {

using net::DropReason;
using net::Ipv4Address;
using net::Ipv4Header;
using net::Ipv6Address;
using net::Ipv6Header;
using net::Verdict;
using Share = NeighbourKinds::Share;

namespace {

/// Of the packet in the other family: headers that do not cross are dropped.
uint16_t frame_length_after(const net::Packet& packet) {
  const size_t network = packet.is_v6 ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
  return static_cast<uint16_t>(sizeof(net::EthernetHeader) + network + packet.l4_length);
}

Ipv4Address narrow(const net::IpAddress& ip, Ipv4Address) {
  return ip.v4();
}
Ipv6Address narrow(const net::IpAddress& ip, const Ipv6Address&) {
  return ip.v6();
}

template <Share share>
Verdict send_within_v6(Core& core, Flow& flow, Segment& segment, Direction direction) {
  const bool inbound = direction == Direction::kInbound;
  NextHop& hop = inbound ? core.backend(flow).next_hop : flow.to_client;
  const net::Translation6 to = inbound ? core.to_backend6(flow) : core.to_client6(flow);
  const Verdict room = core.next_hops6.room_for(*core.snapshot, segment.buffer->pkt_len,
                                                to.destination.ip, hop, core.now_ms, share);
  if (room == DropReason::mtu_exceeded) [[unlikely]] {
    const uint16_t mtu = core.next_hops6.mtu(*core.snapshot, hop);
    return too_large_across(core, flow, segment, direction, mtu);
  }
  if (!room.passed()) [[unlikely]]
    return room;
  translate_within_v6(segment.packet, to);
  return core.next_hops6.try_send<share>(*core.snapshot, segment.buffer, to.destination.ip, hop,
                                         core.now_ms);
}

/// From one family into the other, which is `Address`'s.
template <class Address>
Verdict translate_and_send(Core& core, Flow& flow, Segment& segment, Direction direction,
                           Share share) {
  const bool inbound = direction == Direction::kInbound;
  NextHop& hop = inbound ? core.backend(flow).next_hop : flow.to_client;
  auto& next_hops = core.next_hops_of<Address>();
  const net::Endpoint to = inbound ? core.backend_address(flow) : core.client(flow);
  const Address destination = narrow(to.ip, Address{});
  const uint16_t length = frame_length_after(segment.packet);
  const Verdict room =
      next_hops.room_for(*core.snapshot, length, destination, hop, core.now_ms, share);
  if (room == DropReason::mtu_exceeded) [[unlikely]] {
    const uint16_t mtu = next_hops.mtu(*core.snapshot, hop);
    return too_large_across(core, flow, segment, direction, mtu);
  }
  if (!room.passed()) return room;
  if (!translate_across(core, flow, segment, direction)) return DropReason::mbuf_exhausted;
  if (share == Share::kFlows) {
    return next_hops.template try_send<Share::kFlows>(*core.snapshot, segment.buffer, destination,
                                                      hop, core.now_ms);
  }
  return next_hops.template try_send<Share::kStrangers>(*core.snapshot, segment.buffer, destination,
                                                        hop, core.now_ms);
}

}  // namespace

Verdict forward_across(Core& core, Flow& flow, Segment& segment, Direction direction, Share share) {
  BackendState& backend = core.backend(flow);
  const uint16_t length = segment.packet.ip_length();
  bool to_v4;
  if (direction == Direction::kInbound) {
    backend.packets_in.add();
    backend.bytes_in.add(length);
    to_v4 = core.pool(flow).is_v4;
  } else {
    backend.packets_out.add();
    backend.bytes_out.add(length);
    to_v4 = !flow.has_v6_client();
  }
  if (to_v4) return translate_and_send<Ipv4Address>(core, flow, segment, direction, share);
  if (!segment.packet.is_v6) {
    return translate_and_send<Ipv6Address>(core, flow, segment, direction, share);
  }
  return share == Share::kFlows ? send_within_v6<Share::kFlows>(core, flow, segment, direction)
                                : send_within_v6<Share::kStrangers>(core, flow, segment, direction);
}

}  // namespace sluice
