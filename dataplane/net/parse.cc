// SPDX-License-Identifier: BSD-3-Clause
// Frame validation, outermost header first.
#include "dataplane/net/parse.h"

#include "dataplane/net/ipv4_options.h"
#include "dataplane/net/ipv6.h"

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
  packet.is_v6 = false;
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
  if (has_source_route_left(ip)) return bad(packet, DropReason::ipv4_source_routed);
  if (ip.is_fragment()) return bad(packet, DropReason::ipv4_fragment);
  const std::span<uint8_t> l4(rest.data() + header, size_t{total} - header);
  packet.l4_length = static_cast<uint16_t>(l4.size());
  if (ip.protocol == kProtocolTcp) return parse_tcp(packet, l4);
  if (ip.protocol == kProtocolUdp) return parse_udp(packet, l4);
  if (ip.protocol == kProtocolIcmp) return parse_icmp(packet, l4);
  bad(packet, DropReason::protocol_unknown);
}

/// RFC 8200, section 3: nobody sends from a group, from :: or from ::1; :: but for neighbour
/// discovery and MLD, which their readers look into.
bool is_source_bad(const Packet& packet, uint8_t protocol) {
  const Ipv6Address& source = packet.ip6->source;
  return !ipv6_source_possible(source) && !(protocol == kProtocolIcmpv6 && is_unspecified(source));
}

DropReason reason_of(const Ipv6Payload& payload) {
  if (payload.is_fragment) return DropReason::ipv6_fragment;
  switch (payload.fault) {
    case Ipv6Fault::kTruncated:
      return DropReason::frame_truncated;
    case Ipv6Fault::kUnknownNextHeader:
    case Ipv6Fault::kNoNextHeader:
      return DropReason::protocol_unknown;
    default:
      return DropReason::ipv6_extension_bad;
  }
}

void parse_ipv6(Packet& packet, std::span<uint8_t> rest) {
  if (rest.size() < sizeof(Ipv6Header)) return bad(packet, DropReason::frame_truncated);
  packet.is_v6 = true;
  packet.ip6 = reinterpret_cast<Ipv6Header*>(rest.data());
  const Ipv6Header& ip = *packet.ip6;
  if (ip.version() != 6) return bad(packet, DropReason::ipv6_header_bad);
  const uint16_t length = ip.payload_length.host();
  if (length > rest.size() - sizeof(Ipv6Header)) return bad(packet, DropReason::frame_truncated);
  const std::span<uint8_t> behind = rest.subspan(sizeof(Ipv6Header), length);
  const Ipv6Payload payload = find_upper_layer(ip, behind);
  if (is_source_bad(packet, payload.protocol)) return bad(packet, DropReason::ipv6_source_bad);
  if (payload.is_fragment || payload.fault != Ipv6Fault::kNone) {
    return bad(packet, reason_of(payload));
  }
  const std::span<uint8_t> l4 = behind.subspan(payload.offset);
  packet.l4_length = static_cast<uint16_t>(l4.size());
  if (payload.protocol == kProtocolTcp) return parse_tcp(packet, l4);
  if (payload.protocol == kProtocolIcmpv6) return parse_icmp(packet, l4);
  parse_udp(packet, l4);
  // RFC 8200, section 8.1.
  if (packet.kind == Packet::Kind::kUdp && packet.udp->checksum.raw == 0) {
    bad(packet, DropReason::udp_checksum_bad);
  }
}

/// Of TCP or UDP without extension headers.
struct PlainIpv6 {
  EthernetHeader ethernet;
  Ipv6Header ip;
  TcpHeader tcp;
};
static_assert(sizeof(PlainIpv6) == 74);

/// False, and nothing said, of what is not plain TCP over IPv6 or not right.
bool parse_plain_tcp6(std::span<uint8_t> frame, Packet& packet) {
  if (frame.size() < sizeof(PlainIpv6)) return false;
  auto& headers = *reinterpret_cast<PlainIpv6*>(frame.data());
  const Ipv6Header& ip = headers.ip;
  const TcpHeader& tcp = headers.tcp;
  const uint16_t l4_length = ip.payload_length.host();
  if (headers.ethernet.type != kEtherTypeIpv6 || ip.version() != 6 ||
      ip.next_header != kProtocolTcp ||
      l4_length > frame.size() - sizeof(EthernetHeader) - sizeof(Ipv6Header)) {
    return false;
  }
  const uint16_t header = tcp.header_length();
  if (header < sizeof(TcpHeader) || header > l4_length || tcp.source_port.raw == 0 ||
      tcp.destination_port.raw == 0 || !detail::kTcpFlags[tcp.flags] ||
      !ipv6_source_possible(ip.source)) {
    return false;
  }
  packet.kind = Packet::Kind::kTcp;
  packet.is_v6 = true;
  packet.l4_length = l4_length;
  packet.ethernet = &headers.ethernet;
  packet.ip6 = &headers.ip;
  packet.tcp = &headers.tcp;
  return true;
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
  packet.is_v6 = false;
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
  if (packet.ethernet->type == kEtherTypeIpv6) return parse_ipv6(packet, rest);
  if (packet.ethernet->type == kEtherTypeArp) return parse_arp(packet, rest);
  bad(packet, DropReason::ethertype_unknown);
}

void parse_other(std::span<uint8_t> frame, Packet& packet) {
  if (!parse_plain_tcp6(frame, packet) && !parse_plain_udp(frame, packet)) {
    parse_any(frame, packet);
  }
}

}  // namespace sluice::net
