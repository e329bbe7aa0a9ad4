// SPDX-License-Identifier: BSD-3-Clause
// By which interface, and from which address of it, the configuration leads to a destination.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "control/config/config.h"
#include "dataplane/state/route_table.h"

namespace sluice::control {

struct RouteResult {
  size_t interface;  // index into Config::interfaces
  IpAddress source;  // the interface's address on the network of destination or gateway, or the
                     // first of its family
};

// The longest of many prefixes of either family that holds an address.
class PrefixTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Of equal prefixes the first counts.
  explicit PrefixTable(std::span<const IpPrefix> prefixes = {});
  // The number of the prefix, or kNone.
  uint32_t find(const IpAddress& ip) const;

 private:
  RouteTable<net::Ipv4Address> v4_;
  RouteTable<net::Ipv6Address> v6_;
  std::vector<uint32_t> v4_numbers_, v6_numbers_;  // by the number in a family's table
};

// Whether no network tells where the route's gateway is: the route has to.
bool needs_interface(const RouteConfig& route);

// The network of one address.
IpPrefix host_route(const IpAddress& ip);

struct ResolvedRoute {
  IpPrefix to;
  std::optional<IpAddress> via;  // none: the destination itself is on the link
  RouteResult result;
};

// The networks of all interfaces, and behind them each [[route]] whose gateway is on one of them:
// the narrowest that holds it. A gateway for which the route names the interface because no network
// tells it (on_link, fe80::/10) has a route of its own. Of two for the same network the first
// counts; link-local networks, which every interface has, count for none.
std::vector<ResolvedRoute> resolve_routes(const Config& config);

// For many destinations: made once for a configuration, which outlives it, it takes about as long
// for each of them however many routes there are. The same answer as the snapshot's routes give to
// packets.
class RouteLookup {
 public:
  explicit RouteLookup(const Config& config);
  std::optional<RouteResult> find(const IpAddress& destination) const;
  // Where the gateway of one of the configuration's routes is.
  std::optional<RouteResult> find_gateway(const RouteConfig& route) const;

 private:
  const Config& config_;
  std::vector<ResolvedRoute> routes_;
  PrefixTable table_;
};

}  // namespace sluice::control
