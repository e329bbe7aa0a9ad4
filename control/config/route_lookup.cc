// SPDX-License-Identifier: BSD-3-Clause
// Gateways are looked up among the networks, destinations among all routes.
#include "control/config/route_lookup.h"

#include <algorithm>

#include "control/config/address_rules.h"
#include "control/config/link_addresses.h"

namespace sluice::control {
namespace {

PrefixTable table_of(const std::vector<ResolvedRoute>& routes) {
  std::vector<IpPrefix> prefixes;
  prefixes.reserve(routes.size());
  for (const ResolvedRoute& route : routes) prefixes.push_back(route.to);
  return PrefixTable(prefixes);
}

// By the name that the route has for it.
std::optional<RouteResult> named_gateway(const Config& config, const RouteConfig& route) {
  const auto interface =
      std::ranges::find(config.interfaces, route.interface, &InterfaceConfig::name);
  if (interface == config.interfaces.end()) return std::nullopt;
  const auto source = first_address(*interface, route.via.family());
  if (!source) return std::nullopt;
  return RouteResult{static_cast<size_t>(interface - config.interfaces.begin()), *source};
}

}  // namespace

IpPrefix host_route(const IpAddress& ip) {
  return {ip, static_cast<uint8_t>(ip.bit_count())};
}

bool needs_interface(const RouteConfig& route) {
  return route.on_link || is_link_local(route.via);
}

PrefixTable::PrefixTable(std::span<const IpPrefix> prefixes) {
  std::vector<net::Ipv4Prefix> v4;
  std::vector<net::Ipv6Prefix> v6;
  for (uint32_t i = 0; i < prefixes.size(); ++i) {
    if (prefixes[i].address.is_v4()) {
      v4.push_back(prefixes[i].v4());
      v4_numbers_.push_back(i);
    } else {
      v6.push_back(prefixes[i].v6());
      v6_numbers_.push_back(i);
    }
  }
  v4_ = RouteTable<net::Ipv4Address>(v4);
  v6_ = RouteTable<net::Ipv6Address>(v6);
}

uint32_t PrefixTable::find(const IpAddress& ip) const {
  const uint32_t found = ip.is_v4() ? v4_.find(ip.v4()) : v6_.find(ip.v6());
  if (found == kNone) return kNone;
  return ip.is_v4() ? v4_numbers_[found] : v6_numbers_[found];
}

std::vector<ResolvedRoute> resolve_routes(const Config& config) {
  std::vector<ResolvedRoute> routes;
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    for (const IpPrefix& own : config.interfaces[i].addresses) {
      if (is_link_local(own.address)) continue;
      routes.push_back({own.network(), std::nullopt, {i, own.address}});
    }
  }
  const PrefixTable networks = table_of(routes);
  for (const RouteConfig& route : config.routes) {
    if (needs_interface(route)) {
      const auto gateway = named_gateway(config, route);
      if (!gateway) continue;
      routes.push_back({host_route(route.via), std::nullopt, *gateway});
      routes.push_back({route.to, route.via, *gateway});
      continue;
    }
    const uint32_t network = networks.find(route.via);
    if (network == PrefixTable::kNone) continue;
    routes.push_back({route.to, route.via, routes[network].result});
  }
  return routes;
}

RouteLookup::RouteLookup(const Config& config)
    : config_(config), routes_(resolve_routes(config)), table_(table_of(routes_)) {}

std::optional<RouteResult> RouteLookup::find(const IpAddress& destination) const {
  const uint32_t found = table_.find(destination);
  if (found == PrefixTable::kNone) return std::nullopt;
  return routes_[found].result;
}

std::optional<RouteResult> RouteLookup::find_gateway(const RouteConfig& route) const {
  return needs_interface(route) ? named_gateway(config_, route) : find(route.via);
}

}  // namespace sluice::control
