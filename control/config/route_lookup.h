// SPDX-License-Identifier: BSD-3-Clause
// By which interface, and from which address of it, the configuration leads to a destination.
#pragma once

#include <optional>
#include <vector>

#include "control/config/config.h"
#include "dataplane/state/route_table.h"

namespace sluice::control {

struct RouteResult {
  size_t interface;         // index into Config::interfaces
  net::Ipv4Address source;  // the interface's address on the network of destination or gateway
};

struct ResolvedRoute {
  net::Ipv4Prefix to;
  net::Ipv4Address via;  // zero: the destination itself is on the link
  RouteResult result;
};

// The networks of all interfaces, and behind them each [[route]] whose gateway is on one of them:
// the narrowest that holds it. Of two for the same network the first counts.
std::vector<ResolvedRoute> resolve_routes(const Config& config);

// For many destinations: made once for a configuration, it takes about as long for each of them
// however many routes there are. The same answer as the snapshot's routes give to packets.
class RouteLookup {
 public:
  explicit RouteLookup(const Config& config);
  std::optional<RouteResult> find(net::Ipv4Address destination) const;

 private:
  std::vector<ResolvedRoute> routes_;
  RouteTable<net::Ipv4Address> table_;
};

}  // namespace sluice::control
