// SPDX-License-Identifier: BSD-3-Clause
// Neighbours of an interface that the configuration names.
#include "control/daemon/core/queue_questions.h"

#include <algorithm>
#include <vector>

#include "control/config/link_addresses.h"
#include "control/config/route_lookup.h"

namespace sluice::control {
namespace {

// Gateways and backends of a family that are on an interface's link.
std::vector<IpAddress> neighbours_on(const Config& config, size_t interface, net::Family family) {
  const RouteLookup routes(config);
  std::vector<IpAddress> found;
  for (const RouteConfig& route : config.routes) {
    const auto way = routes.find_gateway(route);
    const bool is_here = way && way->interface == interface && route.via.family() == family;
    if (is_here) found.push_back(route.via);
  }
  const auto has_it = [&](const IpAddress& ip) {
    return std::ranges::any_of(config.interfaces[interface].addresses,
                               [&](const IpPrefix& own) { return own.contains(ip); });
  };
  for (const ServiceConfig& service : config.services) {
    for (const BackendConfig& backend : service.backends) {
      const IpAddress& ip = backend.address.ip;
      if (ip.family() == family && has_it(ip)) found.push_back(ip);
    }
  }
  return found;
}

}  // namespace

void set_questions(QueueProbe& probe, const Config& config, size_t interface) {
  for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
    const auto source = first_address(config.interfaces[interface], family);
    if (!source) continue;
    probe.source = *source;
    probe.targets = neighbours_on(config, interface, family);
    if (!probe.targets.empty()) return;
  }
}

}  // namespace sluice::control
