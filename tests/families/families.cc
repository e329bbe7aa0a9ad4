// SPDX-License-Identifier: BSD-3-Clause
// Addresses and snapshots of the other family.
#include "tests/families/families.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sluice::test {

Families families_named(const char* name) {
  const std::string_view text = name;
  if (text == "44") return {};
  if (text == "64") return {true, false};
  if (text == "46") return {false, true};
  if (text == "66") return {true, true};
  std::fprintf(stderr, "families: got %s, expected 44, 64, 46 or 66\n", name);
  std::exit(2);
}

Families families_of_run() {
  const char* const name = std::getenv("SLUICE_FAMILIES");
  return families_named(name == nullptr ? "44" : name);
}

net::Ipv6Address v6_of(net::Ipv4Address ip) {
  net::Ipv6Address v6{{0xfd, 0, 0, 0, 0, 0, 0, 0x64}};
  std::memcpy(&v6.bytes[12], &ip, sizeof ip);
  return v6;
}

net::IpAddress address_in(bool v6, net::Ipv4Address ip) {
  return v6 ? net::IpAddress(v6_of(ip)) : net::IpAddress(ip);
}

net::Endpoint endpoint_in(bool v6, const net::Endpoint& end) {
  return {address_in(v6, end.ip.v4()), end.port};
}

namespace {

constexpr uint8_t kMoreBits = 96;  // of a prefix

net::Ipv6Prefix prefix_in_v6(const net::Ipv4Prefix& prefix) {
  return {v6_of(prefix.address), static_cast<uint8_t>(prefix.length + kMoreBits)};
}

void move_link(InterfaceView& interface) {
  for (const net::Ipv4Prefix& own : interface.v4.own) interface.v6.own.push_back(prefix_in_v6(own));
  for (const PinnedNeighbour& pinned : interface.v4.pinned) {
    interface.v6.pinned.push_back({v6_of(pinned.ip), pinned.mac});
  }
  interface.v4 = {};
}

void move_route(Snapshot& snapshot, const Route& route) {
  const net::Ipv4Address none{};
  snapshot.v6.routes.push_back(
      {prefix_in_v6(route.to), route.via == none ? net::Ipv6Address{} : v6_of(route.via),
       route.interface, route.source == none ? net::Ipv6Address{} : v6_of(route.source)});
}

void move_addresses(Families families, Snapshot& snapshot) {
  std::vector<net::Ipv4Address> own, locals;
  own.swap(snapshot.v4.own_everywhere);
  locals.swap(snapshot.v4.locals);
  for (const net::Ipv4Address ip : locals) {
    snapshot.add_local(address_in(families.v6_backends, ip));
    std::erase(own, ip);
  }
  for (const net::Ipv4Address ip : own) {
    snapshot.add_own_everywhere(address_in(families.v6_clients, ip));
  }
}

}  // namespace

void move_to(Families families, Snapshot& snapshot) {
  if (!families.any()) return;
  for (uint16_t i = 0; i < snapshot.interfaces.size(); ++i) {
    if (families.is_v6(i)) move_link(snapshot.interfaces[i]);
  }
  std::vector<Route> routes;
  routes.swap(snapshot.v4.routes);
  for (const Route& route : routes) {
    if (families.is_v6(route.interface)) {
      move_route(snapshot, route);
    } else {
      snapshot.v4.routes.push_back(route);
    }
  }
  move_addresses(families, snapshot);
  for (ServiceView& service : snapshot.services) {
    service.vip = endpoint_in(families.v6_clients, service.vip);
    for (BackendView& backend : service.backends) {
      backend.address = endpoint_in(families.v6_backends, backend.address);
    }
  }
  for (PoolView& pool : snapshot.pools) {
    pool.local = address_in(families.v6_backends, pool.local.v4());
    pool.backend = endpoint_in(families.v6_backends, pool.backend);
  }
}

}  // namespace sluice::test
