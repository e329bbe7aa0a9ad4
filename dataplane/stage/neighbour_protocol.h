// SPDX-License-Identifier: BSD-3-Clause
// What differs by family where neighbours are asked for: ARP (RFC 826), neighbour discovery (RFC
// 4861).
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "dataplane/net/arp.h"
#include "dataplane/net/nd.h"
#include "dataplane/state/counters.h"
#include "dataplane/state/snapshot.h"

namespace sluice {

template <class Address>
struct NeighbourProtocol;

template <>
struct NeighbourProtocol<net::Ipv4Address> {
  static constexpr net::be16 kEtherType = net::kEtherTypeIpv4;  // of what goes to a neighbour
  static constexpr uint16_t kRequestLength = net::kArpFrameLength;
  static constexpr Event kRequestSent = Event::arp_requests_sent;

  static bool is_none(net::Ipv4Address ip) { return ip.raw == 0; }
  static bool has(const net::IpAddress& ip) { return ip.is_v4(); }
  static net::Ipv4Address narrow(const net::IpAddress& ip) { return ip.v4(); }
  /// What requests come from.
  static net::Ipv4Address source_of_requests(const InterfaceView&, const Route& route) {
    return route.source;
  }
  /// Asks everybody, or the one who is probed, in a frame of kRequestLength bytes.
  static void write_request(std::span<uint8_t> frame, net::MacAddress our_mac,
                            net::Ipv4Address source, net::Ipv4Address target,
                            std::optional<net::MacAddress> probed) {
    net::arp_request(frame, our_mac, source, target, probed.value_or(net::kBroadcastMac));
  }
};

template <>
struct NeighbourProtocol<net::Ipv6Address> {
  static constexpr net::be16 kEtherType = net::kEtherTypeIpv6;
  static constexpr uint16_t kRequestLength = net::kNdFrameLengthMax;
  static constexpr Event kRequestSent = Event::nd_solicitations_sent;

  static bool is_none(const net::Ipv6Address& ip) { return net::is_unspecified(ip); }
  static bool has(const net::IpAddress& ip) { return !ip.is_v4(); }
  static net::Ipv6Address narrow(const net::IpAddress& ip) { return ip.v6(); }
  /// The interface's link-local address: one that it is given, else what its MAC makes.
  static net::Ipv6Address link_local_of(const InterfaceView& interface) {
    const auto& own = interface.v6.own;
    const auto found = std::ranges::find_if(
        own, [](const net::Ipv6Prefix& prefix) { return net::is_link_local(prefix.address); });
    return found == own.end() ? net::link_local_of(interface.mac) : found->address;
  }
  static net::Ipv6Address source_of_requests(const InterfaceView& interface,
                                             const RouteOf<net::Ipv6Address>& route) {
    return is_none(route.source) ? link_local_of(interface) : route.source;
  }
  static void write_request(std::span<uint8_t> frame, net::MacAddress our_mac,
                            const net::Ipv6Address& source, const net::Ipv6Address& target,
                            std::optional<net::MacAddress> probed) {
    // Of full length: never from ::, which would carry no MAC.
    net::write_solicitation(frame, our_mac, source, target, probed);
  }
};

}  // namespace sluice
