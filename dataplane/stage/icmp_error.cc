// SPDX-License-Identifier: BSD-3-Clause
// Errors of our own.
#include "dataplane/stage/icmp_error.h"

#include <algorithm>

#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"

namespace sluice {
namespace {

using Kind = OwnError::Kind;

/// What a kind of error is called and counted as; by OwnError::Kind.
struct ErrorKind {
  uint8_t v4_type, v4_code, v6_type, v6_code;
  Event sent, limited;
};
constexpr ErrorKind kKinds[] = {
    {net::icmp_type::kUnreachable, net::icmp_code::kPortUnreachable, net::icmpv6_type::kUnreachable,
     net::icmpv6_code::kPortUnreachable, Event::port_unreachable_sent,
     Event::port_unreachable_limited},
    {net::icmp_type::kUnreachable, net::icmp_code::kFragmentationNeeded,
     net::icmpv6_type::kPacketTooBig, 0, Event::fragmentation_needed_sent,
     Event::fragmentation_needed_limited},
    {net::icmp_type::kTimeExceeded, net::icmp_code::kTtlExceeded, net::icmpv6_type::kTimeExceeded,
     net::icmpv6_code::kHopLimitExceeded, Event::time_exceeded_sent, Event::time_exceeded_limited},
    {net::icmp_type::kUnreachable, net::icmp_code::kNetworkUnreachable,
     net::icmpv6_type::kUnreachable, net::icmpv6_code::kNoRoute, Event::no_route_sent,
     Event::no_route_limited}};

/// Of a family.
struct Lengths {
  uint16_t headers;     // in front of what is quoted
  uint16_t error_max;   // of the error, from its IP header on
  uint16_t link_least;  // every link carries that much (RFC 791; RFC 8200, section 5)
};
constexpr Lengths kIpv4Lengths = {sizeof(net::Ipv4Header) + sizeof(net::IcmpHeader),
                                  net::kIcmpErrorLengthMax, 68};
constexpr Lengths kIpv6Lengths = {sizeof(net::Ipv6Header) + sizeof(net::Icmpv6Header),
                                  net::kIcmpv6ErrorLengthMax, net::kIpv6MtuMin};

std::span<const uint8_t> bytes_of(const net::Packet& packet, uint16_t length) {
  return {reinterpret_cast<const uint8_t*>(packet.ip), length};
}

/// Groups, and sources that cannot be, do not get this far over IPv4.
bool may_be_answered(const net::Packet& packet, const ErrorKind& kind) {
  if (!packet.is_v6) {
    return packet.kind != net::Packet::Kind::kIcmp || !net::icmp_is_error(*packet.icmp);
  }
  const auto behind = bytes_of(packet, packet.ip_length()).subspan(sizeof(net::Ipv6Header));
  const net::Ipv6Payload payload = net::find_upper_layer(*packet.ip6, behind);
  return net::icmpv6_error_allowed(*packet.ip6, payload, behind, kind.v6_type, kind.v6_code);
}

uint16_t write_error(std::span<uint8_t> frame, const net::Packet& packet, const ErrorKind& kind,
                     const OwnError& error, std::span<const uint8_t> quote) {
  if (packet.is_v6) {
    return net::write_icmpv6_error(
        frame,
        {error.source.v6(), packet.ip6->source, kind.v6_type, kind.v6_code, uint32_t{error.mtu}},
        quote);
  }
  return net::write_icmp_error(
      frame.data(), {error.source.v4(), packet.ip->source, kind.v4_type, kind.v4_code, error.mtu},
      quote);
}

}  // namespace

void send_error(Core& core, const net::Packet& packet, const OwnError& error) {
  const ErrorKind& kind = kKinds[static_cast<size_t>(error.kind)];
  if (!may_be_answered(packet, kind)) return;
  const net::IpAddress sender = packet.source_ip();
  const uint16_t back = core.snapshot->interface_towards(sender);
  if (back == Snapshot::kNoInterface) return;
  if (!core.icmp_limit.take(sender, core.now_ms)) return core.count(kind.limited);
  // The error itself must fit its way.
  const Lengths& lengths = packet.is_v6 ? kIpv6Lengths : kIpv4Lengths;
  const uint16_t room = std::max(core.snapshot->interfaces[back].mtu, lengths.link_least);
  const auto quoted = std::min(
      error.quoted, static_cast<uint16_t>(std::min(room, lengths.error_max) - lengths.headers));
  const auto frame_max = static_cast<uint16_t>(sizeof(net::EthernetHeader) + lengths.error_max);
  rte_mbuf* made = core.tx.allocate(frame_max);
  if (made == nullptr) return;
  const uint16_t length = write_error({rte_pktmbuf_mtod(made, uint8_t*), frame_max}, packet, kind,
                                      error, bytes_of(packet, quoted));
  rte_pktmbuf_trim(made, static_cast<uint16_t>(frame_max - length));
  core.count(kind.sent);
  NextHop hop;
  core.send(made, sender, hop);
}

}  // namespace sluice
