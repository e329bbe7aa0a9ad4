// SPDX-License-Identifier: BSD-3-Clause
// Look-ups in a snapshot. They serve new flows and new next hops, not every packet.
#include "dataplane/state/snapshot.h"

#include <algorithm>

namespace sluice {
namespace {

// In Snapshot::sources_, beyond the numbers of interfaces.
constexpr uint32_t kSourceIsOurs = 1u << 16;
constexpr uint32_t kSourceIsBroadcast = kSourceIsOurs + 1;

void sort_unique(std::vector<net::Ipv4Address>& addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

}  // namespace

void Snapshot::seal() {
  sort_unique(own_everywhere);
  sort_unique(locals);
  for (const net::Ipv4Address address : own_everywhere) own_.set(address.raw, 0);
  std::vector<net::Ipv4Prefix> prefixes;
  for (const Route& route : routes) prefixes.push_back(route.to);
  route_table_ = RouteTable<net::Ipv4Address>(prefixes);
  seal_owners();
  seal_sources();
  seal_announcements();
  link_generation = 0;
  for (const InterfaceView& interface : interfaces) link_generation += interface.link_ups;
}

void Snapshot::seal_owners() {
  auto add_service = [this](net::Protocol protocol, net::Endpoint vip, ServiceId id) {
    owners_.set(vip.ip.raw, static_cast<uint32_t>(Owner::kVip));
    services_at_.set(word_of(protocol, vip), id);
  };
  for (const RemovedService& removed : removed_services) {
    add_service(removed.protocol, removed.vip, removed.id);
  }
  views_.clear();
  udp_services.clear();
  for (size_t view = 0; view < services.size(); ++view) {
    const ServiceId id = services[view].id;
    add_service(services[view].protocol, services[view].vip, id);
    if (views_.size() <= id) views_.resize(id + size_t{1}, kNoId);
    views_[id] = static_cast<uint16_t>(view);
    if (services[view].protocol == net::Protocol::kUdp) {
      udp_services.push_back(static_cast<uint16_t>(view));
    }
  }
  for (uint32_t number = 0; number < locals.size(); ++number) {
    owners_.set(locals[number].raw, static_cast<uint32_t>(Owner::kFirstLocal) + number);
  }
  for (const PoolView& pool : pools) {
    pools_.set(word_of(pool.protocol, owner_of(pool.local), pool.backend), pool.id);
  }
}

void Snapshot::seal_sources() {
  FlatMap<> seen;  // backends, each once
  for (InterfaceView& interface : interfaces) interface.faces_backends = false;
  for (const PoolView& pool : pools) {
    if (seen.find(pool.backend.ip.raw) != FlatMap<>::kNone) continue;
    seen.set(pool.backend.ip.raw, 0);
    const Route* route = find_route(pool.backend.ip);
    if (route == nullptr) continue;
    sources_.set(pool.backend.ip.raw, route->interface);
    interfaces[route->interface].faces_backends = true;
  }
  for (const InterfaceView& interface : interfaces) {
    for (const net::Ipv4Prefix& own : interface.addresses) {
      if (own.length == 0 || own.length > 30) continue;
      const uint32_t network = own.address.host() & own.mask();
      sources_.set(net::Ipv4Address::from_host(network).raw, kSourceIsBroadcast);
      sources_.set(net::Ipv4Address::from_host(network | ~own.mask()).raw, kSourceIsBroadcast);
    }
  }
  for (const net::Ipv4Address address : own_everywhere) sources_.set(address.raw, kSourceIsOurs);
  for (const InterfaceView& interface : interfaces) {
    for (const net::Ipv4Prefix& own : interface.addresses) {
      sources_.set(own.address.raw, kSourceIsOurs);
    }
  }
}

void Snapshot::seal_announcements() {
  for (InterfaceView& interface : interfaces) {
    interface.announced.clear();
    for (const net::Ipv4Prefix& own : interface.addresses) {
      interface.announced.push_back(own.address);
    }
  }
  for (const net::Ipv4Address address : own_everywhere) {
    const Route* route = find_route(address);
    if (route == nullptr || route->via.raw != 0) continue;
    std::vector<net::Ipv4Address>& announced = interfaces[route->interface].announced;
    const auto& own = interfaces[route->interface].addresses;
    if (std::ranges::none_of(own, [&](net::Ipv4Prefix p) { return p.address == address; })) {
      announced.push_back(address);
    }
  }
}

Snapshot::SourceFault Snapshot::source_fault(net::Ipv4Address ip, uint16_t interface) const {
  const uint32_t found = sources_.find(ip.raw);
  if (found == FlatMap<>::kNone || found == interface) return SourceFault::kNone;
  if (found == kSourceIsOurs) return SourceFault::kOwn;
  return found == kSourceIsBroadcast ? SourceFault::kBroadcast : SourceFault::kMisplaced;
}

bool Snapshot::is_own(net::Ipv4Address ip, uint16_t interface) const {
  if (own_.find(ip.raw) != FlatMap<>::kNone) return true;
  const auto& addresses = interfaces[interface].addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](net::Ipv4Prefix p) { return p.address == ip; });
}

}  // namespace sluice
