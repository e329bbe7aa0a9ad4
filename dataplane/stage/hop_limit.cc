// SPDX-License-Identifier: BSD-3-Clause
// The end of a packet's way.
#include "dataplane/stage/hop_limit.h"

#include "dataplane/net/ipv6.h"
#include "dataplane/stage/icmp_error.h"

namespace sluice {

using net::DropReason;

namespace {

/// Nobody but the link knows one of IPv6's.
constexpr bool is_of_link(net::Ipv4Address) {
  return false;
}
constexpr bool is_of_link(const net::Ipv6Address& ip) {
  return net::is_link_local(ip);
}

/// Our address on a link: of the sender's network if there is one, else of any.
template <class Address>
const Address* address_on(const LinkAddresses<Address>& link, const Address& sender) {
  const Address* found = nullptr;
  for (const net::Prefix<Address>& own : link.own) {
    if (own.contains(sender)) return &own.address;
    if (found == nullptr && !is_of_link(own.address)) found = &own.address;
  }
  return found;
}

/// Of the interface that the packet came in by, which is what traces of routes show; where it has
/// none of the family, the one that the packet was sent to.
template <class Address>
net::IpAddress hop_address(const Core& core, const Segment& segment, const Address& sender) {
  const Snapshot& snapshot = *core.snapshot;
  const uint16_t port = segment.buffer->port;
  const uint16_t interface = port < snapshot.interface_of_port.size()
                                 ? snapshot.interface_of_port[port]
                                 : snapshot.interface_towards(sender);
  if (interface >= snapshot.interfaces.size()) return segment.packet.destination_ip();
  const Address* own = address_on(snapshot.interfaces[interface].of<Address>(), sender);
  return own == nullptr ? segment.packet.destination_ip() : net::IpAddress(*own);
}

}  // namespace

DropReason hop_limit_expired(Core& core, const Segment& segment) {
  const net::Packet& packet = segment.packet;
  const net::IpAddress hop = packet.is_v6 ? hop_address(core, segment, packet.ip6->source)
                                          : hop_address(core, segment, packet.ip->source);
  send_error(core, packet, {OwnError::Kind::kTimeExceeded, hop, packet.ip_length()});
  return packet.is_v6 ? DropReason::ipv6_hop_limit_expired : DropReason::ipv4_ttl_expired;
}

}  // namespace sluice
