// SPDX-License-Identifier: BSD-3-Clause
// Making room in a datagram.
#include "dataplane/stage/proxy_datagram.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/fragment.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/stage/proxy_fields.h"
#include "dataplane/stage/tell_sender.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

uint16_t network_length(bool v4) {
  return v4 ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
}

/// How large a packet its sender may send so that it fits with a header of `length` bytes; 0 where
/// this one fits, or may be sent in fragments.
uint16_t mtu_left(const Core& core, const Flow& flow, const net::Packet& packet, uint16_t length) {
  const bool to_v4 = core.pool(flow).is_v4;
  const uint16_t interface = core.snapshot->interface_towards(core.backend_address(flow).ip);
  if (interface == Snapshot::kNoInterface) return 0;
  const uint32_t mtu = core.snapshot->interfaces[interface].mtu;
  const uint32_t grown = uint32_t{network_length(to_v4)} + packet.l4_length + length;
  if (grown <= mtu || (!packet.is_v6 && net::may_fragment(*packet.ip))) return 0;
  const uint32_t left = mtu - length - network_length(to_v4) + network_length(!packet.is_v6);
  return static_cast<uint16_t>(packet.is_v6 ? std::max<uint32_t>(left, net::kIpv6MtuMin) : left);
}

void set_length(net::Packet& packet, uint16_t payload) {
  const auto l4_length = static_cast<uint16_t>(sizeof(net::UdpHeader) + payload);
  const auto ip_length = static_cast<uint16_t>(packet.ip_header_length() + l4_length);
  packet.l4_length = l4_length;
  packet.udp->length = net::be16::from_host(l4_length);
  if (packet.is_v6) {
    packet.ip6->payload_length =
        net::be16::from_host(static_cast<uint16_t>(ip_length - sizeof(net::Ipv6Header)));
    return;
  }
  net::Ipv4Header& ip = *packet.ip;
  ip.total_length = net::be16::from_host(ip_length);
  ip.checksum = {0};
  ip.checksum = net::checksum_of(net::checksum_sum(&ip, ip.header_length()));
}

void sum_up(net::Packet& packet) {
  net::UdpHeader& udp = *packet.udp;
  if (udp.checksum.raw == 0) return;
  udp.checksum = {0};
  const net::be16 sum =
      net::checksum_of(net::pseudo_header_sum(packet, net::kProtocolUdp, packet.l4_length) +
                       net::checksum_sum(&udp, packet.l4_length));
  udp.checksum = sum.raw == 0 ? net::be16::from_host(UINT16_MAX) : sum;
}

}  // namespace

Verdict put_header_in_datagram(Core& core, uint32_t index, Segment& datagram) {
  Flow& flow = core.flows[index];
  net::Packet& packet = datagram.packet;
  if (!net::udp_checksum_ok(packet)) return DropReason::udp_checksum_bad;
  net::ProxyHeader header;
  const uint16_t length =
      net::write_proxy_header(proxy_form(core, index).version, proxy_fields(core, index), header);
  if (const uint16_t mtu = mtu_left(core, flow, packet, length); mtu != 0) {
    tell_sender(core, flow, datagram, Direction::kInbound, mtu);
    return DropReason::mtu_exceeded;
  }
  rte_mbuf* const buffer = datagram.buffer;
  const uint16_t payload = packet.udp_payload_length();
  auto* const at = reinterpret_cast<uint8_t*>(packet.udp + 1);
  const auto end = static_cast<uint16_t>(at + payload - rte_pktmbuf_mtod(buffer, uint8_t*));
  if (end + length > rte_pktmbuf_data_len(buffer) + rte_pktmbuf_tailroom(buffer)) {
    return DropReason::mtu_exceeded;
  }
  buffer->data_len = static_cast<uint16_t>(end + length);
  buffer->pkt_len = buffer->data_len;
  std::memmove(at + length, at, payload);
  std::memcpy(at, header.data(), length);
  set_length(packet, static_cast<uint16_t>(payload + length));
  sum_up(packet);
  return Verdict::pass();
}

}  // namespace sluice
