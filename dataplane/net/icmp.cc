// SPDX-License-Identifier: BSD-3-Clause
// ICMP in place.
#include "dataplane/net/icmp.h"

#include <cstring>

#include "dataplane/net/checksum.h"
#include "dataplane/net/ipv6.h"

namespace sluice::net {
namespace {

constexpr uint8_t kOurTtl = 64;

void recompute(be16& checksum, const void* data, size_t length) {
  checksum = {0};
  checksum = checksum_of(checksum_sum(data, length));
}

}  // namespace

bool icmp_checksum_ok(const Packet& packet) {
  if (!packet.is_v6) return checksum_ok(packet.icmp, packet.l4_length);
  const std::span<const uint8_t> icmp(reinterpret_cast<const uint8_t*>(packet.icmp),
                                      packet.l4_length);
  return checksum_ok(packet.ip6->source, packet.ip6->destination, kProtocolIcmpv6, icmp);
}

void icmp_echo_answer(Packet& packet) {
  Ipv4Header& ip = *packet.ip;
  std::swap(ip.source, ip.destination);
  ip.ttl = kOurTtl;
  recompute(ip.checksum, &ip, ip.header_length());
  packet.icmp->type = icmp_type::kEchoReply;
  recompute(packet.icmp->checksum, packet.icmp, packet.l4_length);
}

bool icmp_is_error(const IcmpHeader& icmp) {
  // Source quench (RFC 6633) and redirects are not passed on.
  return icmp.type == icmp_type::kUnreachable || icmp.type == icmp_type::kTimeExceeded ||
         icmp.type == icmp_type::kParameterProblem;
}

std::optional<Quoted> icmp_quoted(Packet& packet) {
  constexpr uint16_t kQuotedMin = 8;
  if (packet.l4_length < sizeof(IcmpHeader) + sizeof(Ipv4Header) + kQuotedMin) return {};
  auto* ip = reinterpret_cast<Ipv4Header*>(packet.icmp + 1);
  const uint16_t header = ip->header_length();
  const bool is_udp = ip->protocol == kProtocolUdp;
  if (ip->version_ihl >> 4 != 4 || header < sizeof(Ipv4Header) ||
      (ip->protocol != kProtocolTcp && !is_udp) || ip->is_fragment() ||
      packet.l4_length < sizeof(IcmpHeader) + header + kQuotedMin) {
    return {};
  }
  auto* tcp = reinterpret_cast<TcpHeader*>(reinterpret_cast<uint8_t*>(ip) + header);
  return Quoted{is_udp ? Protocol::kUdp : Protocol::kTcp,
                ip,
                {tcp},
                {ip->source, tcp->source_port},
                {ip->destination, tcp->destination_port}};
}

void icmp_translate_error(Packet& packet, const Quoted& quoted, Ipv4Address outer_source,
                          Ipv4Address outer_destination, Ipv4Endpoint quoted_source,
                          Ipv4Endpoint quoted_destination, uint32_t sequence_addend) {
  Ipv4Header& outer = *packet.ip;
  outer.source = outer_source;
  outer.destination = outer_destination;
  outer.ttl = static_cast<uint8_t>(outer.ttl - 1);
  recompute(outer.checksum, &outer, outer.header_length());

  const Deltas inner =
      make_deltas(quoted.source, quoted.destination, quoted_source, quoted_destination);
  quoted.ip->source = quoted_source.ip;
  quoted.ip->destination = quoted_destination.ip;
  quoted.ip->checksum = ChecksumDelta::apply(quoted.ip->checksum, inner.ip);
  quoted.tcp->source_port = quoted_source.port;
  quoted.tcp->destination_port = quoted_destination.port;
  if (quoted.protocol == Protocol::kUdp) {
    apply_delta(*quoted.udp, inner.l4);
  } else {
    quoted.tcp->sequence = be32::from_host(quoted.tcp->sequence.host() + sequence_addend);
  }
  recompute(packet.icmp->checksum, packet.icmp, packet.l4_length);
}

uint16_t write_icmp_error(uint8_t* frame, const IcmpError& fields, std::span<const uint8_t> quote) {
  constexpr uint8_t kVersionIhl = 0x45;
  constexpr uint8_t kInternetworkControl = 0xc0;  // RFC 1812, section 4.3.2.5
  constexpr be16 kDontFragment = be16::from_host(0x4000);
  auto& ip = *reinterpret_cast<Ipv4Header*>(frame + sizeof(EthernetHeader));
  auto& icmp = *reinterpret_cast<IcmpHeader*>(&ip + 1);
  const size_t icmp_length = sizeof icmp + quote.size();
  const size_t length = sizeof ip + icmp_length;
  ip = {kVersionIhl,
        kInternetworkControl,
        be16::from_host(static_cast<uint16_t>(length)),
        {0},
        kDontFragment,
        kOurTtl,
        kProtocolIcmp,
        {0},
        fields.source,
        fields.destination};
  recompute(ip.checksum, &ip, sizeof ip);
  icmp = {fields.type, fields.code, {0}, be32::from_host(fields.mtu)};
  std::memcpy(&icmp + 1, quote.data(), quote.size());
  recompute(icmp.checksum, &icmp, icmp_length);
  return static_cast<uint16_t>(sizeof(EthernetHeader) + length);
}

}  // namespace sluice::net
