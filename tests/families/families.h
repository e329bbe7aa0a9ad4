// SPDX-License-Identifier: BSD-3-Clause
// Lets tests and models that speak IPv4 stand around a core that speaks IPv6, on either side.
//
// Each IPv4 address has one IPv6 address, so a frame becomes one of the other family and back
// without any state: TCP and UDP keep all but their network header, ICMP errors become ICMPv6's,
// ARP becomes neighbour discovery. What is wrong with a checksum stays wrong. Written without the
// translation that the core has of its own, which it is to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/state/snapshot.h"

namespace sluice::test {

using Frame = std::vector<uint8_t>;

/// On which sides IPv6 is spoken.
struct Families {
  bool v6_clients = false;
  bool v6_backends = false;

  bool any() const { return v6_clients || v6_backends; }
  /// Of the interface that clients or backends are on: 0 and 1.
  bool is_v6(uint16_t interface) const { return interface == 0 ? v6_clients : v6_backends; }
};

/// "44", "64", "46", "66": of clients and of backends. Exits with a word about anything else.
Families families_named(const char* name);
/// What SLUICE_FAMILIES names; without it IPv4 on both sides.
Families families_of_run();

net::Ipv6Address v6_of(net::Ipv4Address ip);
/// In the family of a side.
net::IpAddress address_in(bool v6, net::Ipv4Address ip);
net::Endpoint endpoint_in(bool v6, const net::Endpoint& end);

/// What is neither IPv4 nor ARP stays as it is.
Frame to_v6(std::span<const uint8_t> frame);
/// Nothing of what IPv4 has not: duplicate address detection, reports of multicast groups.
std::optional<Frame> to_v4(std::span<const uint8_t> frame);

/// Gives a snapshot of IPv4, not yet sealed, addresses of these families: those of interface 0 and
/// of VIPs by the clients', of interface 1, locals and backends by the backends'.
void move_to(Families families, Snapshot& snapshot);

}  // namespace sluice::test
