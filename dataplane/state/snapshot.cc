// SPDX-License-Identifier: BSD-3-Clause
// What a snapshot works out of itself before it is published.
#include "dataplane/state/snapshot.h"

#include <algorithm>

#include "dataplane/net/ipv6.h"

namespace sluice {
namespace {

template <class Address>
LinkAddresses<Address>& link_of(InterfaceView& interface) {
  return const_cast<LinkAddresses<Address>&>(interface.of<Address>());
}

constexpr bool is_none(net::Ipv4Address ip) {
  return ip.raw == 0;
}
constexpr bool is_none(const net::Ipv6Address& ip) {
  return ip == net::Ipv6Address{};
}

}  // namespace

void Snapshot::add_own_everywhere(const net::IpAddress& ip) {
  if (ip.is_v4()) {
    v4.own_everywhere.push_back(ip.v4());
  } else {
    v6.own_everywhere.push_back(ip.v6());
  }
}

void Snapshot::add_local(const net::IpAddress& ip) {
  add_own_everywhere(ip);
  if (ip.is_v4()) {
    v4.locals.push_back(ip.v4());
  } else {
    v6.locals.push_back(ip.v6());
  }
}

void Snapshot::seal() {
  v4.seal_own();
  v6.seal_own();
  seal_services();
  seal_pools();
  seal_mss_clamp();
  seal_echo();
  seal_sources();
  seal_announcements<net::Ipv4Address>();
  seal_announcements<net::Ipv6Address>();
  seal_groups();
  link_generation = 0;
  for (const InterfaceView& interface : interfaces) link_generation += interface.link_ups;
}

void Snapshot::seal_services() {
  auto add_service = [this](net::Protocol protocol, const net::Endpoint& vip, ServiceId id) {
    if (vip.ip.is_v4()) {
      v4.add_service(protocol, vip.v4(), id);
    } else {
      v6.add_service(protocol, vip.v6(), id);
    }
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
    ServiceView& service = services[view];
    service.has_extras = service.proxy_form != kNoProxyForm || service.toa ||
                         service.syn_cookies != SynCookieMode::kNever;
    if (services[view].protocol == net::Protocol::kUdp) {
      udp_services.push_back(static_cast<uint16_t>(view));
    }
  }
}

void Snapshot::seal_mss_clamp() {
  bool v4_vips = false, v6_vips = false, v4_pools = false, v6_pools = false;
  const auto note = [](const net::IpAddress& ip, bool& v4_found, bool& v6_found) {
    (ip.is_v4() ? v4_found : v6_found) = true;
  };
  for (const ServiceView& service : services) note(service.vip.ip, v4_vips, v6_vips);
  for (const RemovedService& removed : removed_services) note(removed.vip.ip, v4_vips, v6_vips);
  for (const PoolView& pool : pools) note(pool.local, v4_pools, v6_pools);
  mss_clamp |= (v4_vips && v6_pools) || (v6_vips && v4_pools);
}

void Snapshot::seal_echo() {
  std::vector<net::IpAddress> wanted;
  for (const ServiceView& service : services) {
    if (service.icmp_echo) wanted.push_back(service.vip.ip);
  }
  std::sort(wanted.begin(), wanted.end());
  for (const ServiceView& service : services) {
    const net::IpAddress& vip = service.vip.ip;
    if (is_local(vip) || std::binary_search(wanted.begin(), wanted.end(), vip)) continue;
    if (vip.is_v4()) {
      v4.add_echo_silent(vip.v4());
    } else {
      v6.add_echo_silent(vip.v6());
    }
  }
}

void Snapshot::seal_pools() {
  v4.number_locals();
  v6.number_locals();
  for (const PoolView& pool : pools) {
    if (pool.local.is_v4()) {
      v4.add_pool(pool.protocol, pool.local.v4(), pool.backend.v4(), pool.id);
    } else {
      v6.add_pool(pool.protocol, pool.local.v6(), pool.backend.v6(), pool.id);
    }
  }
}

void Snapshot::seal_sources() {
  for (InterfaceView& interface : interfaces) interface.faces_backends = false;
  for (const PoolView& pool : pools) {
    const net::IpAddress& backend = pool.backend.ip;
    const uint16_t interface = interface_towards(backend);
    if (interface == kNoInterface) continue;
    interfaces[interface].faces_backends = true;
    if (backend.is_v4()) {
      v4.add_backend_source(backend.v4(), interface);
    } else {
      v6.add_backend_source(backend.v6(), interface);
    }
  }
  for (const InterfaceView& interface : interfaces) {
    for (const net::Ipv4Prefix& own : interface.v4.own) {
      if (own.length == 0 || own.length > 30) continue;
      const uint32_t network = own.address.host() & own.mask();
      v4.add_broadcast_source(net::Ipv4Address::from_host(network));
      v4.add_broadcast_source(net::Ipv4Address::from_host(network | ~own.mask()));
    }
  }
  for (const net::Ipv4Address ip : v4.own_everywhere) v4.add_own_source(ip);
  for (const net::Ipv6Address& ip : v6.own_everywhere) v6.add_own_source(ip);
  for (const InterfaceView& interface : interfaces) {
    for (const net::Ipv4Prefix& own : interface.v4.own) v4.add_own_source(own.address);
    for (const net::Ipv6Prefix& own : interface.v6.own) v6.add_own_source(own.address);
  }
}

template <class Address>
void Snapshot::seal_announcements() {
  for (InterfaceView& interface : interfaces) {
    LinkAddresses<Address>& link = link_of<Address>(interface);
    link.announced.clear();
    for (const net::Prefix<Address>& own : link.own) link.announced.push_back(own.address);
  }
  const NetworkOf<Address>& network = of<Address>();
  for (const Address& address : network.own_everywhere) {
    const RouteOf<Address>* route = network.find_route(address);
    if (route == nullptr || !is_none(route->via)) continue;
    LinkAddresses<Address>& link = link_of<Address>(interfaces[route->interface]);
    if (!link.is_own(address)) link.announced.push_back(address);
  }
}

void Snapshot::seal_groups() {
  for (InterfaceView& interface : interfaces) {
    std::vector<net::Ipv6Address>& groups = interface.groups;
    groups.clear();
    for (const net::Ipv6Address& address : interface.v6.announced) {
      groups.push_back(net::solicited_node_multicast(address));
    }
    std::ranges::sort(groups);
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  }
}

PoolId Snapshot::pool_at(net::Protocol protocol, const net::IpAddress& local,
                         const net::Endpoint& backend) const {
  if (local.is_v4() != backend.ip.is_v4()) return kNoPool;
  return local.is_v4() ? v4.pool_at(protocol, local.v4(), backend.v4())
                       : v6.pool_at(protocol, local.v6(), backend.v6());
}

uint16_t Snapshot::interface_towards(const net::IpAddress& destination) const {
  if (destination.is_v4()) {
    const Route* route = v4.find_route(destination.v4());
    return route == nullptr ? kNoInterface : route->interface;
  }
  const RouteOf<net::Ipv6Address>* route = v6.find_route(destination.v6());
  return route == nullptr ? kNoInterface : route->interface;
}

}  // namespace sluice
