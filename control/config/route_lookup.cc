// SPDX-License-Identifier: BSD-3-Clause
// Gateways are looked up among the networks, destinations among all routes.
#include "control/config/route_lookup.h"

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

RouteTable<net::Ipv4Address> table_of(const std::vector<ResolvedRoute>& routes) {
  std::vector<net::Ipv4Prefix> prefixes;
  prefixes.reserve(routes.size());
  for (const ResolvedRoute& route : routes) prefixes.push_back(route.to);
  return RouteTable<net::Ipv4Address>(prefixes);
}

}  // namespace

std::vector<ResolvedRoute> resolve_routes(const Config& config) {
  std::vector<ResolvedRoute> routes;
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    for (const net::Ipv4Prefix& own : config.interfaces[i].addresses) {
      routes.push_back({network_of(own), {}, {i, own.address}});
    }
  }
  const RouteTable<net::Ipv4Address> networks = table_of(routes);
  for (const RouteConfig& route : config.routes) {
    const uint32_t network = networks.find(route.via);
    if (network == networks.kNone) continue;
    routes.push_back({route.to, route.via, routes[network].result});
  }
  return routes;
}

RouteLookup::RouteLookup(const Config& config)
    : routes_(resolve_routes(config)), table_(table_of(routes_)) {}

std::optional<RouteResult> RouteLookup::find(net::Ipv4Address destination) const {
  const uint32_t found = table_.find(destination);
  if (found == table_.kNone) return std::nullopt;
  return routes_[found].result;
}

}  // namespace sluice::control
