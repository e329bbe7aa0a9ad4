// SPDX-License-Identifier: BSD-3-Clause
// Within IPv6, and between the families.
#include "dataplane/stage/forward_across.h"

#include <cstring>

#include "dataplane/net/ipv6.h"
#include "dataplane/net/rewrite.h"
#include "dataplane/net/xlat.h"
#include "dataplane/stage/too_large_across.h"

namespace sluice {

using net::DropReason;
using net::Ipv4Address;
using net::Ipv4Header;
using net::Ipv6Address;
using net::Ipv6Header;
using net::Verdict;
using Share = NeighbourKinds::Share;

namespace {

/// What a packet gets.
struct NewEnds {
  net::Endpoint source;
  net::Endpoint destination;
  uint16_t l4_delta;
};

NewEnds ends_of(const Core& core, const Flow& flow, Direction direction) {
  if (direction == Direction::kInbound) {
    return {core.local(flow), core.backend_address(flow), flow.deltas.l4};
  }
  return {core.vip(flow), core.client(flow), flow.deltas.reversed().l4};
}

/// Of the packet as it leaves: headers that do not cross are dropped.
uint16_t frame_length_after(const net::Packet& packet, bool to_v6) {
  const size_t network = packet.is_v6 && to_v6 ? packet.ip_header_length()
                         : to_v6               ? sizeof(Ipv6Header)
                                               : sizeof(Ipv4Header);
  return static_cast<uint16_t>(sizeof(net::EthernetHeader) + network + packet.l4_length);
}

/// Makes the frame begin so that a network header of `length` bytes ends where TCP or UDP begins,
/// and end where that ends. Returns where the network header is to be; nullptr without room.
uint8_t* make_frame(Segment& segment, uint16_t length) {
  net::Packet& packet = segment.packet;
  auto* l4 = reinterpret_cast<uint8_t*>(packet.ports);
  const auto front = static_cast<uint16_t>(sizeof(net::EthernetHeader) + length);
  const auto before = static_cast<uint16_t>(l4 - rte_pktmbuf_mtod(segment.buffer, uint8_t*));
  if (before < front) {
    if (rte_pktmbuf_prepend(segment.buffer, static_cast<uint16_t>(front - before)) == nullptr) {
      return nullptr;
    }
  } else {
    rte_pktmbuf_adj(segment.buffer, static_cast<uint16_t>(before - front));
  }
  segment.buffer->data_len = static_cast<uint16_t>(front + packet.l4_length);
  segment.buffer->pkt_len = segment.buffer->data_len;
  packet.ethernet = rte_pktmbuf_mtod(segment.buffer, net::EthernetHeader*);
  return l4 - length;
}

bool make_v6_of_v4(Segment& segment, const NewEnds& to) {
  const Ipv4Header& ip = *segment.packet.ip;
  const Ipv6Header header = net::ipv4_to_ipv6(ip, to.source.ip.v6(), to.destination.ip.v6(),
                                              static_cast<uint8_t>(ip.ttl - 1));
  uint8_t* at = make_frame(segment, sizeof header);
  if (at == nullptr) return false;
  std::memcpy(at, &header, sizeof header);
  segment.packet.ip6 = reinterpret_cast<Ipv6Header*>(at);
  segment.packet.is_v6 = true;
  return true;
}

void make_v4_of_v6(Core& core, Segment& segment, const NewEnds& to) {
  const net::Packet& packet = segment.packet;
  net::Ipv6Payload payload;
  payload.protocol = packet.kind == net::Packet::Kind::kTcp ? net::kProtocolTcp : net::kProtocolUdp;
  payload.offset = static_cast<uint16_t>(packet.ip_header_length() - sizeof(Ipv6Header));
  const Ipv4Header header =
      net::ipv6_to_ipv4(*packet.ip6, payload, to.source.ip.v4(), to.destination.ip.v4(),
                        static_cast<uint8_t>(packet.ip6->hop_limit - 1), core.fragment_id++);
  uint8_t* at = make_frame(segment, sizeof header);
  std::memcpy(at, &header, sizeof header);
  segment.packet.ip = reinterpret_cast<Ipv4Header*>(at);
  segment.packet.is_v6 = false;
}

/// What has no checksum over IPv4 gets one over IPv6 (RFC 7915, section 4.5). The new addresses and
/// ports are in place.
void make_udp_checksum(net::Packet& packet) {
  net::UdpHeader& udp = *packet.udp;
  const uint16_t length = udp.length.host();
  udp.checksum = {0};
  const net::be16 sum =
      net::checksum_of(net::pseudo_header_sum(packet.ip6->source, packet.ip6->destination,
                                              net::kProtocolUdp, length) +
                       net::checksum_sum(&udp, length));
  udp.checksum = sum.raw == 0 ? net::be16::from_host(UINT16_MAX) : sum;
}

void put_ports(net::Packet& packet, const NewEnds& to) {
  packet.ports->source_port = to.source.port;
  packet.ports->destination_port = to.destination.port;
  if (packet.kind == net::Packet::Kind::kTcp) return net::apply_delta(*packet.tcp, to.l4_delta);
  if (packet.udp->checksum.raw == 0 && packet.is_v6) return make_udp_checksum(packet);
  net::apply_delta(*packet.udp, to.l4_delta);
}

bool translate_to(Core& core, Segment& segment, const NewEnds& to) {
  net::Packet& packet = segment.packet;
  const bool to_v6 = !to.destination.ip.is_v4();
  if (packet.is_v6 && to_v6) {
    net::translate_network(*packet.ip6, {to.source.v6(), to.destination.v6(), {}});
  } else if (to_v6) {
    if (!make_v6_of_v4(segment, to)) return false;
  } else if (packet.is_v6) {
    make_v4_of_v6(core, segment, to);
  }
  put_ports(packet, to);
  return true;
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
  const NewEnds to = ends_of(core, flow, direction);
  NextHop& hop = direction == Direction::kInbound ? core.backend(flow).next_hop : flow.to_client;
  auto& next_hops = core.next_hops_of<Address>();
  const Address destination = narrow(to.destination.ip, Address{});
  const uint16_t length = frame_length_after(segment.packet, !to.destination.ip.is_v4());
  const Verdict room =
      next_hops.room_for(*core.snapshot, length, destination, hop, core.now_ms, share);
  if (room == DropReason::mtu_exceeded) [[unlikely]] {
    const uint16_t mtu = next_hops.mtu(*core.snapshot, hop);
    return too_large_across(core, flow, segment, direction, mtu);
  }
  if (!room.passed()) return room;
  if (!translate_to(core, segment, to)) return DropReason::mbuf_exhausted;
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

bool translate_across(Core& core, const Flow& flow, Segment& segment, Direction direction) {
  return translate_to(core, segment, ends_of(core, flow, direction));
}

}  // namespace sluice
