// SPDX-License-Identifier: BSD-3-Clause
// Look-ups in a snapshot. They serve new flows and new next hops, not every packet.
#include "dataplane/state/snapshot.h"

#include <algorithm>

namespace sluice {
namespace {

void sort_unique(std::vector<net::Ipv4Address>& addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

}  // namespace

void Snapshot::seal() {
  sort_unique(own_everywhere);
  sort_unique(locals);
  std::sort(services.begin(), services.end(),
            [](const ServiceView& a, const ServiceView& b) { return a.vip < b.vip; });
  std::stable_sort(routes.begin(), routes.end(),
                   [](const Route& a, const Route& b) { return a.to.length > b.to.length; });
}

const ServiceView* Snapshot::find_service(net::Endpoint vip) const {
  const auto at =
      std::lower_bound(services.begin(), services.end(), vip,
                       [](const ServiceView& s, net::Endpoint wanted) { return s.vip < wanted; });
  return at != services.end() && at->vip == vip ? &*at : nullptr;
}

const Route* Snapshot::find_route(net::Ipv4Address destination) const {
  for (const Route& route : routes) {
    if (route.to.contains(destination)) return &route;
  }
  return nullptr;
}

bool Snapshot::is_local(net::Ipv4Address ip) const {
  return std::binary_search(locals.begin(), locals.end(), ip);
}

bool Snapshot::is_own(net::Ipv4Address ip, uint16_t interface) const {
  if (std::binary_search(own_everywhere.begin(), own_everywhere.end(), ip)) return true;
  const auto& addresses = interfaces[interface].addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](net::Ipv4Prefix p) { return p.address == ip; });
}

}  // namespace sluice
