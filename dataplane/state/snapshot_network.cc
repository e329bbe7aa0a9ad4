// SPDX-License-Identifier: BSD-3-Clause
// A family's tables in a snapshot. They serve new flows and new next hops, not every packet.
#include "dataplane/state/snapshot_network.h"

#include <algorithm>

namespace sluice {
namespace {

// In NetworkOf::sources_, beyond the numbers of interfaces.
constexpr uint32_t kSourceIsOurs = 1u << 16;
constexpr uint32_t kSourceIsBroadcast = kSourceIsOurs + 1;

template <class Address>
void sort_unique(std::vector<Address>& addresses) {
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
}

}  // namespace

template <class Address>
void NetworkOf<Address>::seal_own() {
  sort_unique(own_everywhere);
  sort_unique(locals);
  for (const Address& address : own_everywhere) own_.set(Keys::address(address), 0);
  std::vector<net::Prefix<Address>> prefixes;
  for (const Route& route : routes) prefixes.push_back(route.to);
  route_table_ = RouteTable<Address>(prefixes);
}

template <class Address>
void NetworkOf<Address>::add_service(net::Protocol protocol, const Endpoint& vip, ServiceId id) {
  owners_.set(Keys::address(vip.ip), static_cast<uint32_t>(Owner::kVip));
  services_at_.set(Keys::service(protocol, vip), id);
}

template <class Address>
void NetworkOf<Address>::add_echo_silent(const Address& vip) {
  echo_silent_.set(Keys::address(vip), 0);
}

template <class Address>
void NetworkOf<Address>::number_locals() {
  for (uint32_t number = 0; number < locals.size(); ++number) {
    owners_.set(Keys::address(locals[number]), static_cast<uint32_t>(Owner::kFirstLocal) + number);
  }
}

template <class Address>
void NetworkOf<Address>::add_pool(net::Protocol protocol, const Address& local,
                                  const Endpoint& backend, PoolId id) {
  pools_.set(Keys::pool(protocol, owner_of(local), backend), id);
}

template <class Address>
void NetworkOf<Address>::add_backend_source(const Address& backend, uint16_t interface) {
  sources_.set(Keys::address(backend), interface);
}

template <class Address>
void NetworkOf<Address>::add_broadcast_source(const Address& ip) {
  sources_.set(Keys::address(ip), kSourceIsBroadcast);
}

template <class Address>
void NetworkOf<Address>::add_own_source(const Address& ip) {
  sources_.set(Keys::address(ip), kSourceIsOurs);
}

template <class Address>
SourceFault NetworkOf<Address>::source_fault(const Address& ip, uint16_t interface) const {
  const uint32_t found = sources_.find(Keys::address(ip));
  if (found == FlatMap<>::kNone || found == interface) return SourceFault::kNone;
  if (found == kSourceIsOurs) return SourceFault::kOwn;
  return found == kSourceIsBroadcast ? SourceFault::kBroadcast : SourceFault::kMisplaced;
}

template class NetworkOf<net::Ipv4Address>;
template class NetworkOf<net::Ipv6Address>;

}  // namespace sluice
