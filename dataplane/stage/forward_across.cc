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

/// Of the packet as it leaves: headers that do not cross are dropped.
uint16_t frame_length_after(const net::Packet& packet, bool to_v6) {
  const size_t network = packet.is_v6 && to_v6 ? packet.ip_header_length()
                         : to_v6               ? sizeof(Ipv6Header)
                                               : sizeof(Ipv4Header);
  return static_cast<uint16_t>(sizeof(net::EthernetHeader) + network + packet.l4_length);
}

Ipv4Address narrow(const net::IpAddress& ip, Ipv4Address) {
  return ip.v4();
}
Ipv6Address narrow(const net::IpAddress& ip, const Ipv6Address&) {
  return ip.v6();
}

template <class Address>
Verdict translate_and_send(Core& core, Flow& flow, Segment& segment, Direction direction,
                           Share share) {
  const bool inbound = direction == Direction::kInbound;
  NextHop& hop = inbound ? core.backend(flow).next_hop : flow.to_client;
  auto& next_hops = core.next_hops_of<Address>();
  const net::Endpoint to = inbound ? core.backend_address(flow) : core.client(flow);
  const Address destination = narrow(to.ip, Address{});
  const uint16_t length = frame_length_after(segment.packet, !to.ip.is_v4());
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
  return to_v4 ? translate_and_send<Ipv4Address>(core, flow, segment, direction, share)
               : translate_and_send<Ipv6Address>(core, flow, segment, direction, share);
}

}  // namespace sluice
