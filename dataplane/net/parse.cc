// SPDX-License-Identifier: BSD-3-Clause
// Frame validation, outermost header first.
#include "dataplane/net/parse.h"

#include "dataplane/net/checksum.h"

namespace sluice::net {
namespace {

Packet bad(DropReason reason) {
  Packet packet{};
  packet.kind = Packet::Kind::kBad;
  packet.reason = reason;
  return packet;
}

bool source_possible(Ipv4Address source) {
  const uint32_t first = source.host() >> 24;
  return first != 0 && first != 127 && first < 224;  // "this" net, loopback, multicast and above
}

bool tcp_flags_possible(uint8_t flags) {
  using namespace tcp_flag;
  if ((flags & (kSyn | kFin | kRst | kAck)) == 0) return false;
  if ((flags & kSyn) != 0) return (flags & (kFin | kRst)) == 0;
  return (flags & (kFin | kRst)) != (kFin | kRst);
}

Packet parse_arp(Packet packet, std::span<uint8_t> rest) {
  if (rest.size() < sizeof(ArpHeader)) return bad(DropReason::frame_truncated);
  packet.kind = Packet::Kind::kArp;
  packet.arp = reinterpret_cast<ArpHeader*>(rest.data());
  const ArpHeader& arp = *packet.arp;
  if (arp.hardware_type != be16::from_host(1) || arp.protocol_type != kEtherTypeIpv4 ||
      arp.hardware_length != 6 || arp.protocol_length != 4 || arp.sender_mac.is_multicast()) {
    return bad(DropReason::arp_bad);
  }
  return packet;
}

Packet parse_tcp(Packet packet, std::span<uint8_t> l4) {
  if (l4.size() < sizeof(TcpHeader)) return bad(DropReason::tcp_header_bad);
  packet.kind = Packet::Kind::kTcp;
  packet.tcp = reinterpret_cast<TcpHeader*>(l4.data());
  const uint16_t header = packet.tcp->header_length();
  if (header < sizeof(TcpHeader) || header > l4.size() || packet.tcp->source_port.raw == 0 ||
      packet.tcp->destination_port.raw == 0) {
    return bad(DropReason::tcp_header_bad);
  }
  if (!tcp_flags_possible(packet.tcp->flags)) return bad(DropReason::tcp_flags_bad);
  return packet;
}

Packet parse_icmp(Packet packet, std::span<uint8_t> l4) {
  if (l4.size() < sizeof(IcmpHeader)) return bad(DropReason::icmp_bad);
  packet.kind = Packet::Kind::kIcmp;
  packet.icmp = reinterpret_cast<IcmpHeader*>(l4.data());
  return packet;
}

Packet parse_ipv4(Packet packet, std::span<uint8_t> rest) {
  if (rest.size() < sizeof(Ipv4Header)) return bad(DropReason::frame_truncated);
  packet.ip = reinterpret_cast<Ipv4Header*>(rest.data());
  const Ipv4Header& ip = *packet.ip;
  const uint16_t header = ip.header_length();
  const uint16_t total = ip.total_length.host();
  if (ip.version_ihl >> 4 != 4 || header < sizeof(Ipv4Header) || total < header) {
    return bad(DropReason::ipv4_header_bad);
  }
  if (total > rest.size()) return bad(DropReason::frame_truncated);
  if (!ipv4_checksum_ok(ip)) return bad(DropReason::ipv4_checksum_bad);
  if (!source_possible(ip.source)) return bad(DropReason::ipv4_source_bad);
  if (ip.is_fragment()) return bad(DropReason::ipv4_fragment);
  const std::span<uint8_t> l4 = rest.subspan(header, total - header);
  packet.l4_length = static_cast<uint16_t>(l4.size());
  if (ip.protocol == kProtocolTcp) return parse_tcp(packet, l4);
  if (ip.protocol == kProtocolIcmp) return parse_icmp(packet, l4);
  return bad(DropReason::protocol_unknown);
}

}  // namespace

Packet parse(std::span<uint8_t> frame) {
  if (frame.size() < sizeof(EthernetHeader)) return bad(DropReason::frame_truncated);
  Packet packet{};
  packet.ethernet = reinterpret_cast<EthernetHeader*>(frame.data());
  const std::span<uint8_t> rest = frame.subspan(sizeof(EthernetHeader));
  if (packet.ethernet->type == kEtherTypeIpv4) return parse_ipv4(packet, rest);
  if (packet.ethernet->type == kEtherTypeArp) return parse_arp(packet, rest);
  return bad(DropReason::ethertype_unknown);
}

}  // namespace sluice::net
