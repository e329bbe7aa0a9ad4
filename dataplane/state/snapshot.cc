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
  for (const net::Ipv4Address address : own_everywhere) own_.set(address.raw, 0);
  std::stable_sort(routes.begin(), routes.end(),
                   [](const Route& a, const Route& b) { return a.to.length > b.to.length; });
  auto add_service = [this](net::Endpoint vip, uint32_t view, ServiceId id) {
    owners_.set(vip.ip.raw, static_cast<uint32_t>(Owner::kVip));
    services_at_.set(word_of(vip), view << 16 | id);
  };
  for (const RemovedService& removed : removed_services)
    add_service(removed.vip, kNoId, removed.id);
  for (uint32_t view = 0; view < services.size(); ++view) {
    add_service(services[view].vip, view, services[view].id);
  }
  for (uint32_t number = 0; number < locals.size(); ++number) {
    owners_.set(locals[number].raw, static_cast<uint32_t>(Owner::kFirstLocal) + number);
  }
  for (const PoolView& pool : pools) {
    const uint64_t number = owners_.find(pool.local.raw);
    pools_.set(number << 48 | word_of(pool.backend), pool.id);
  }
}

const Route* Snapshot::find_route(net::Ipv4Address destination) const {
  for (const Route& route : routes) {
    if (route.to.contains(destination)) return &route;
  }
  return nullptr;
}

bool Snapshot::is_own(net::Ipv4Address ip, uint16_t interface) const {
  if (own_.find(ip.raw) != FlatMap::kNone) return true;
  const auto& addresses = interfaces[interface].addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](net::Ipv4Prefix p) { return p.address == ip; });
}

}  // namespace sluice
