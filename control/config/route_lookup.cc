// SPDX-License-Identifier: BSD-3-Clause
// Longest prefix first; a network on the link before a route of the same length.
#include "control/config/route_lookup.h"

namespace sluice::control {
namespace {

struct Network {
  RouteResult way;
  int length = -1;
};

Network network_with(const Config& config, net::Ipv4Address ip) {
  Network best;
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    for (const net::Ipv4Prefix& own : config.interfaces[i].addresses) {
      if (own.contains(ip) && own.length > best.length) best = {{i, own.address}, own.length};
    }
  }
  return best;
}

}  // namespace

std::optional<RouteResult> lookup_route(const Config& config, net::Ipv4Address destination) {
  Network best = network_with(config, destination);
  for (const RouteConfig& route : config.routes) {
    if (!route.to.contains(destination) || route.to.length <= best.length) continue;
    const Network gateway = network_with(config, route.via);
    if (gateway.length >= 0) best = {gateway.way, route.to.length};
  }
  if (best.length < 0) return std::nullopt;
  return best.way;
}

}  // namespace sluice::control
