// SPDX-License-Identifier: BSD-3-Clause
// Frame validation, outermost header first.
#include "dataplane/net/parse.h"

namespace sluice::net {
namespace {

void bad(Packet& packet, DropReason reason) {
  packet.kind = Packet::Kind::kBad;
  packet.reason = reason;
}

void parse_arp(Packet& packet, std::span<uint8_t> rest) {
  if (rest.size() < sizeof(ArpHeader)) return bad(packet, DropReason::frame_truncated);
  packet.kind = Packet::Kind::kArp;
  packet.arp = reinterpret_cast<ArpHeader*>(rest.data());
  const ArpHeader& arp = *packet.arp;
  if (arp.hardware_type != be16::from_host(1) || arp.protocol_type != kEtherTypeIpv4 ||
      arp.hardware_length != 6 || arp.protocol_length != 4 || arp.sender_mac.is_multicast()) {
    return bad(packet, DropReason::arp_bad);
  }
}

void parse_tcp(Packet& packet, std::span<uint8_t> l4) {
  if (l4.size() < sizeof(TcpHeader)) return bad(packet, DropReason::tcp_header_bad);
  packet.kind = Packet::Kind::kTcp;
  packet.tcp = reinterpret_cast<TcpHeader*>(l4.data());
  const uint16_t header = packet.tcp->header_length();
  if (header < sizeof(TcpHeader) || header > l4.size() || packet.tcp->source_port.raw == 0 ||
      packet.tcp->destination_port.raw == 0) {
    return bad(packet, DropReason::tcp_header_bad);
  }
  if (!detail::kTcpFlags[packet.tcp->flags]) return bad(packet, DropReason::tcp_flags_bad);
}

void parse_udp(Packet& packet, std::span<uint8_t> l4) {
  if (l4.size() < sizeof(UdpHeader)) return bad(packet, DropReason::udp_header_bad);
  packet.kind = Packet::Kind::kUdp;
  packet.udp = reinterpret_cast<UdpHeader*>(l4.data());
  const UdpHeader& udp = *packet.udp;
  const uint16_t length = udp.length.host();
  // Nobody could answer port 0, which RFC 768 allows as a source.
  if (length < sizeof(UdpHeader) || length > l4.size() || udp.source_port.raw == 0 ||
      udp.destination_port.raw == 0) {
    return bad(packet, DropReason::udp_header_bad);
  }
}

void parse_icmp(Packet& packet, std::span<uint8_t> l4) {
  if (l4.size() < sizeof(IcmpHeader)) return bad(packet, DropReason::icmp_bad);
  packet.kind = Packet::Kind::kIcmp;
  packet.icmp = reinterpret_cast<IcmpHeader*>(l4.data());
}

void parse_ipv4(Packet& packet, std::span<uint8_t> rest) {
  if (rest.size() < sizeof(Ipv4Header)) return bad(packet, DropReason::frame_truncated);
  packet.ip = reinterpret_cast<Ipv4Header*>(rest.data());
  const Ipv4Header& ip = *packet.ip;
  const uint16_t header = ip.header_length();
  const uint16_t total = ip.total_length.host();
  if (ip.version_ihl >> 4 != 4 || header < sizeof(Ipv4Header) || total < header) {
    return bad(packet, DropReason::ipv4_header_bad);
  }
  if (total > rest.size()) return bad(packet, DropReason::frame_truncated);
  if (!ipv4_checksum_ok(ip)) return bad(packet, DropReason::ipv4_checksum_bad);
  if (!detail::kSources[ip.source.host() >> 24]) return bad(packet, DropReason::ipv4_source_bad);
  if (ip.is_fragment()) return bad(packet, DropReason::ipv4_fragment);
  const std::span<uint8_t> l4(rest.data() + header, size_t{total} - header);
  packet.l4_length = static_cast<uint16_t>(l4.size());
  if (ip.protocol == kProtocolTcp) return parse_tcp(packet, l4);
  if (ip.protocol == kProtocolUdp) return parse_udp(packet, l4);
  if (ip.protocol == kProtocolIcmp) return parse_icmp(packet, l4);
  bad(packet, DropReason::protocol_unknown);
}

struct PlainUdp {
  EthernetHeader ethernet;
  Ipv4Header ip;
  UdpHeader udp;
};
static_assert(sizeof(PlainUdp) == 42);

/// False, and nothing said, of what is not plain UDP or not right.
bool parse_plain_udp(std::span<uint8_t> frame, Packet& packet) {
  if (frame.size() < sizeof(PlainUdp)) return false;
  auto& headers = *reinterpret_cast<PlainUdp*>(frame.data());
  Ipv4Header& ip = headers.ip;
  UdpHeader& udp = headers.udp;
  constexpr uint8_t kVersion4WithoutOptions = 0x45;
  const uint16_t total = ip.total_length.host();
  if (headers.ethernet.type != kEtherTypeIpv4 || ip.version_ihl != kVersion4WithoutOptions ||
      ip.protocol != kProtocolUdp || ip.is_fragment() ||
      total < sizeof(Ipv4Header) + sizeof(UdpHeader) ||
      total > frame.size() - sizeof(EthernetHeader)) {
    return false;
  }
  const auto l4_length = static_cast<uint16_t>(total - sizeof(Ipv4Header));
  const uint16_t length = udp.length.host();
  if (length < sizeof(UdpHeader) || length > l4_length || udp.source_port.raw == 0 ||
      udp.destination_port.raw == 0 || !detail::kSources[ip.source.host() >> 24] ||
      !ipv4_checksum_ok(ip)) {
    return false;
  }
  packet.kind = Packet::Kind::kUdp;
  packet.l4_length = l4_length;
  packet.ethernet = &headers.ethernet;
  packet.ip = &ip;
  packet.udp = &udp;
  return true;
}

}  // namespace

void parse_any(std::span<uint8_t> frame, Packet& packet) {
  if (frame.size() < sizeof(EthernetHeader)) return bad(packet, DropReason::frame_truncated);
  packet.ethernet = reinterpret_cast<EthernetHeader*>(frame.data());
  const std::span<uint8_t> rest = frame.subspan(sizeof(EthernetHeader));
  if (packet.ethernet->type == kEtherTypeIpv4) return parse_ipv4(packet, rest);
  if (packet.ethernet->type == kEtherTypeArp) return parse_arp(packet, rest);
  bad(packet, DropReason::ethertype_unknown);
}

void parse_other(std::span<uint8_t> frame, Packet& packet) {
  if (!parse_plain_udp(frame, packet)) parse_any(frame, packet);
}

}  // namespace sluice::net
