// SPDX-License-Identifier: BSD-3-Clause
// What a snapshot knows of the addresses of one family: routes, whose an address is, which service
// or pool is meant by a packet's ends, and who cannot have sent it.
//
// Filled by Snapshot::seal() and never changed after.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"
#include "dataplane/state/flat_map.h"
#include "dataplane/state/route_table.h"

namespace sluice {

using ServiceId = uint16_t;
using BackendId = uint32_t;
using PoolId = uint32_t;
using PathId = uint32_t;  // of a (backend of a service, local address): see registry.h
inline constexpr uint16_t kNoId = UINT16_MAX;
inline constexpr BackendId kNoBackend = UINT32_MAX;
inline constexpr PoolId kNoPool = UINT32_MAX;
inline constexpr PathId kNoPath = UINT32_MAX;

/// One way out. The longest prefix wins, and of equal ones the first.
template <class Address>
struct RouteOf {
  net::Prefix<Address> to;
  Address via;         // zero: the destination itself is on the link
  uint16_t interface;  // index into Snapshot::interfaces
  Address source;      // what our requests for neighbours carry; zero where we have none there
};
using Route = RouteOf<net::Ipv4Address>;

/// Whose a destination is, asked for each packet: a VIP's, nobody's, or a local address's, which
/// has a number of its family from kFirstLocal on.
enum class Owner : uint32_t { kVip, kFirstLocal, kNobody = FlatMap<>::kNone };
constexpr bool is_local(Owner owner) {
  return owner != Owner::kVip && owner != Owner::kNobody;
}

/// Why nobody can send from an address what comes in by an interface; asked for what belongs to no
/// flow.
enum class SourceFault : uint8_t {
  kNone,
  kOwn,        // ours, on whatever interface
  kBroadcast,  // IPv4: the broadcast address, or the network's own, of a network on a link
  kMisplaced   // a backend's, and the way to it is another interface
};

/// Keys of a family's maps. IPv4's are one word each, put together in a register.
template <class Address>
struct NetworkKeys;

template <>
struct NetworkKeys<net::Ipv4Address> {
  using Of = uint64_t;
  static constexpr Of address(net::Ipv4Address ip) { return ip.raw; }
  static constexpr Of service(net::Protocol protocol, net::Ipv4Endpoint vip) {
    return uint64_t{static_cast<uint8_t>(protocol)} << 48 | uint64_t{vip.ip.raw} << 16 |
           vip.port.raw;
  }
  static constexpr Of pool(net::Protocol protocol, Owner local, net::Ipv4Endpoint backend) {
    return uint64_t{static_cast<uint32_t>(local)} << 49 | service(protocol, backend);
  }
};

template <>
struct NetworkKeys<net::Ipv6Address> {
  struct Of {
    net::Ipv6Endpoint end;
    net::Protocol protocol;
    uint8_t zero;
    uint32_t local;
  };
  static_assert(sizeof(Of) == 24);
  static constexpr Of address(const net::Ipv6Address& ip) { return {{ip, {0}}, {}, 0, 0}; }
  static constexpr Of service(net::Protocol protocol, const net::Ipv6Endpoint& vip) {
    return {vip, protocol, 0, 0};
  }
  static constexpr Of pool(net::Protocol protocol, Owner local, const net::Ipv6Endpoint& backend) {
    return {backend, protocol, 0, static_cast<uint32_t>(local)};
  }
};

template <class Address>
class NetworkOf {
 public:
  using Route = RouteOf<Address>;
  using Endpoint = net::EndpointOf<Address>;

  std::vector<Route> routes;
  // What seal() is given.
  std::vector<Address> own_everywhere;  // VIPs and local addresses; sorted and unique then
  std::vector<Address> locals;          // as well

  /// Local addresses that there can be: their numbers are 15 bits of a key.
  static constexpr size_t kLocals = 32'767;

  Owner owner_of(const Address& ip) const {
    return static_cast<Owner>(owners_.find(Keys::address(ip)));
  }
  bool is_local(const Address& ip) const { return sluice::is_local(owner_of(ip)); }
  /// The service of a VIP, removed ones too, or kNoId.
  ServiceId service_at(net::Protocol protocol, const Endpoint& vip) const {
    return static_cast<ServiceId>(services_at_.find(Keys::service(protocol, vip)));
  }
  /// The pool of a local address towards a backend, or kNoPool.
  PoolId pool_at(net::Protocol protocol, Owner local, const Endpoint& backend) const {
    static_assert(kNoPool == FlatMap<>::kNone);
    return pools_.find(Keys::pool(protocol, local, backend));
  }
  PoolId pool_at(net::Protocol protocol, const Address& local, const Endpoint& backend) const {
    return pool_at(protocol, owner_of(local), backend);
  }
  const Route* find_route(const Address& destination) const {
    const uint32_t found = route_table_.find(destination);
    return found == route_table_.kNone ? nullptr : &routes[found];
  }
  SourceFault source_fault(const Address& ip, uint16_t interface) const;
  /// A VIP whose services want no echo request answered.
  bool is_echo_silent(const Address& ip) const {
    return echo_silent_.find(Keys::address(ip)) != FlatMap<>::kNone;
  }
  /// A VIP or a local address.
  bool is_own_everywhere(const Address& ip) const {
    return own_.find(Keys::address(ip)) != FlatMap<>::kNone;
  }

  // The steps of seal(), in this order.
  void seal_own();
  void add_service(net::Protocol protocol, const Endpoint& vip, ServiceId id);
  void add_echo_silent(const Address& vip);
  void number_locals();
  void add_pool(net::Protocol protocol, const Address& local, const Endpoint& backend, PoolId id);
  /// Whatever is said of an address last, counts.
  void add_backend_source(const Address& backend, uint16_t interface);
  void add_broadcast_source(const Address& ip);
  void add_own_source(const Address& ip);

 private:
  using Keys = NetworkKeys<Address>;
  using Map = FlatMap<typename Keys::Of>;

  RouteTable<Address> route_table_;  // of `routes`
  Map own_;                          // own_everywhere, as a set
  Map owners_;                       // address -> Owner
  Map services_at_;                  // protocol and VIP -> service id
  Map sources_;      // address -> kSourceIsOurs, kSourceIsBroadcast, or a backend's interface
  Map pools_;        // protocol, number of the local address as an owner, backend -> pool
  Map echo_silent_;  // VIPs, as a set
};

extern template class NetworkOf<net::Ipv4Address>;
extern template class NetworkOf<net::Ipv6Address>;

}  // namespace sluice
