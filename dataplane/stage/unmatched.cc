// SPDX-License-Identifier: BSD-3-Clause
// A router's part.
#include "dataplane/stage/unmatched.h"

#include "dataplane/net/fragment.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/fragments.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/source_check.h"

namespace sluice {

using net::DropReason;
using net::Ipv4Address;
using net::Ipv4Header;
using net::Ipv6Address;
using net::Ipv6Header;
using net::Verdict;

namespace {

DropReason not_for_us(const net::Packet& packet) {
  return packet.is_v6 ? DropReason::ipv6_not_for_us : DropReason::ipv4_not_for_us;
}

// ---- what differs between the families ----------------------------------------------------------

struct Ipv4Way {
  using Address = Ipv4Address;
  static Ipv4Header& header(net::Packet& packet) { return *packet.ip; }
  /// RFC 1812, sections 4.2.2.11 and 5.3.7; RFC 3927, section 7.
  static bool stays_on_link(Ipv4Address ip) {
    constexpr uint32_t kLinkLocal = 0xa9fe0000;
    return ip.host() >> 28 >= 14 || ip.host() >> 24 == 127 || ip.host() >> 24 == 0 ||
           (ip.host() & 0xffff0000) == kLinkLocal;
  }
  static void take_hop(Ipv4Header& ip) {
    --ip.ttl;
    ip.checksum = {0};
    ip.checksum = net::checksum_of(net::checksum_sum(&ip, ip.header_length()));
  }
  /// Whoever must not be cut, and a fragment that is not the first, which nobody is told of
  /// (RFC 1122, section 3.2.2).
  static bool may_cut(const Ipv4Header& ip) { return net::may_fragment(ip); }
  static bool is_later_fragment(const net::Packet& packet) {
    return (packet.ip->fragment.host() & 0x1fff) != 0;
  }
  static bool is_icmp(const net::Packet& packet) {
    return packet.ip->protocol == net::kProtocolIcmp;
  }
};

struct Ipv6Way {
  using Address = Ipv6Address;
  static Ipv6Header& header(net::Packet& packet) { return *packet.ip6; }
  /// RFC 4291, section 2.5.6: no router passes link-local addresses on.
  static bool stays_on_link(const Ipv6Address& ip) {
    return net::is_multicast(ip) || net::is_link_local(ip) || net::number_of(ip) <= 1;
  }
  static void take_hop(Ipv6Header& ip) { --ip.hop_limit; }
  static bool may_cut(const Ipv6Header&) { return false; }
  static bool is_later_fragment(const net::Packet&) { return false; }
  static bool is_icmp(const net::Packet&) { return false; }
};

/// Errors about a packet whose transport header parse() has not read are left out where that might
/// be an error itself.
template <class Way>
bool may_be_told(const net::Packet& packet) {
  if (Way::is_later_fragment(packet)) return false;
  return packet.kind != net::Packet::Kind::kBad || !Way::is_icmp(packet);
}

/// Our address on the link that the packet came by.
template <class Address>
net::IpAddress speaker(const Core& core, const net::Packet& packet, uint16_t interface) {
  for (const net::Prefix<Address>& own : core.snapshot->interfaces[interface].of<Address>().own) {
    if constexpr (std::is_same_v<Address, Ipv6Address>) {
      if (net::is_link_local(own.address)) continue;
    }
    return own.address;
  }
  return packet.destination_ip();
}

template <class Way>
void tell(Core& core, const net::Packet& packet, uint16_t interface, OwnError::Kind kind,
          uint16_t mtu = 0) {
  if (!may_be_told<Way>(packet)) return;
  send_error(
      core, packet,
      {kind, speaker<typename Way::Address>(core, packet, interface), packet.ip_length(), mtu});
}

/// What stands behind the packet in its frame is not part of it.
void trim_to_packet(Segment& segment) {
  const uint32_t length = sizeof(net::EthernetHeader) + uint32_t{segment.packet.ip_length()};
  if (segment.buffer->pkt_len <= length) return;
  rte_pktmbuf_trim(segment.buffer, static_cast<uint16_t>(segment.buffer->pkt_len - length));
}

template <class Way>
Verdict forward_on(Core& core, Segment& segment, uint16_t interface) {
  using Address = typename Way::Address;
  net::Packet& packet = segment.packet;
  auto& header = Way::header(packet);
  const Address source = header.source, destination = header.destination;
  if (Way::stays_on_link(source) || Way::stays_on_link(destination) ||
      core.snapshot->of<Address>().source_fault(destination, interface) ==
          SourceFault::kBroadcast) {
    return not_for_us(packet);
  }
  if (packet.hop_limit() <= 1) {
    if (!may_be_told<Way>(packet)) {
      return packet.is_v6 ? DropReason::ipv6_hop_limit_expired : DropReason::ipv4_ttl_expired;
    }
    return hop_limit_expired(core, segment);
  }
  trim_to_packet(segment);
  NextHop hop;
  auto& next_hops = core.next_hops_of<Address>();
  const Verdict room = next_hops.room_for(*core.snapshot, segment.buffer->pkt_len, destination, hop,
                                          core.now_ms, NeighbourKinds::Share::kStrangers);
  if (room == DropReason::no_route) {
    tell<Way>(core, packet, interface, OwnError::Kind::kNoRoute);
    return DropReason::forward_no_route;
  }
  if (room == DropReason::mtu_exceeded && !Way::may_cut(header)) {
    tell<Way>(core, packet, interface, OwnError::Kind::kTooBig, next_hops.mtu(*core.snapshot, hop));
  }
  const bool cut = room == DropReason::mtu_exceeded && Way::may_cut(header);
  if (!room.passed() && !cut) return room;
  Way::take_hop(header);
  const Verdict verdict =
      cut ? send_on_in_fragments(core, segment, next_hops.mtu(*core.snapshot, hop), hop)
          : next_hops.try_send(*core.snapshot, segment.buffer, destination, hop, core.now_ms);
  if (verdict.passed()) core.count(Event::packets_forwarded);
  return verdict;
}

/// An address of another interface of ours: nobody's to forward.
bool is_ours_elsewhere(const Snapshot& snapshot, const net::IpAddress& ip) {
  for (uint16_t i = 0; i < snapshot.interfaces.size(); ++i) {
    if (snapshot.is_own(ip, i)) return true;
  }
  return false;
}

}  // namespace

Verdict unmatched_input(Core& core, Segment& segment, uint16_t interface) {
  const Unmatched wanted = core.snapshot->interfaces[interface].unmatched;
  const net::Packet& packet = segment.packet;
  if (wanted == Unmatched::kDrop || core.origin == BurstOrigin::kReassembled) {
    return not_for_us(packet);
  }
  if (wanted == Unmatched::kKernel) {
    const bool has_kernel = core.kernel_rings[interface] != nullptr;
    return has_kernel ? give_to_kernel(core, segment.buffer, interface)
                      : Verdict(not_for_us(packet));
  }
  if (is_ours_elsewhere(*core.snapshot, packet.destination_ip())) return not_for_us(packet);
  if (packet.is_v6) {
    const Verdict possible = check_source(core, packet.ip6->source, interface);
    return possible.passed() ? forward_on<Ipv6Way>(core, segment, interface) : possible;
  }
  const Verdict possible = check_source(core, packet.ip->source, interface);
  return possible.passed() ? forward_on<Ipv4Way>(core, segment, interface) : possible;
}

}  // namespace sluice
