// SPDX-License-Identifier: BSD-3-Clause
// The network header made anew, and what it weighs in checksums.
#include "dataplane/stage/translate_across.h"

#include <cstring>

#include "dataplane/net/ipv6.h"
#include "dataplane/net/rewrite.h"
#include "dataplane/net/xlat.h"
#include "dataplane/port/datagram_mark.h"

namespace sluice {

using net::Ipv4Header;
using net::Ipv6Header;

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
  // What came in fragments may leave in fragments (RFC 7915, section 5.1.1).
  payload.has_fragment_header = largest_fragment(segment.buffer) != 0;
  const uint16_t id = core.fragment_id++;
  payload.fragment_id = net::be32::from_host(id);
  const Ipv4Header header =
      net::ipv6_to_ipv4(*packet.ip6, payload, to.source.ip.v4(), to.destination.ip.v4(),
                        static_cast<uint8_t>(packet.ip6->hop_limit - 1), id);
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

bool translate_between(Core& core, Segment& segment, const NewEnds& to) {
  if (segment.packet.is_v6) {
    make_v4_of_v6(core, segment, to);
  } else if (!make_v6_of_v4(segment, to)) {
    return false;
  }
  put_ports(segment.packet, to);
  return true;
}

}  // namespace

bool translate_across(Core& core, const Flow& flow, Segment& segment, Direction direction) {
  const bool inbound = direction == Direction::kInbound;
  const bool to_v6 = inbound ? !core.pool(flow).is_v4 : flow.has_v6_client();
  if (!segment.packet.is_v6 || !to_v6) {
    return translate_between(core, segment, ends_of(core, flow, direction));
  }
  translate_within_v6(segment.packet, inbound ? core.to_backend6(flow) : core.to_client6(flow));
  return true;
}

}  // namespace sluice
