// SPDX-License-Identifier: BSD-3-Clause
// The configuration as workers see it: immutable, shared by all of them, replaced as a whole.
//
// The control thread builds a Snapshot, publishes a pointer to it and frees the old one after every
// worker has passed a quiescent state (rte_rcu_qsbr). What outlives a reload (counters, port pools,
// scheduler positions) is not in it: a snapshot names it by id, and each worker finds its own under
// that id in its Registry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"
#include "dataplane/state/flat_map.h"
#include "dataplane/state/port_pool.h"
#include "dataplane/state/route_table.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

using ServiceId = uint16_t;
using BackendId = uint32_t;
using PoolId = uint32_t;
using PathId = uint32_t;  // of a (backend of a service, local address): see registry.h
inline constexpr uint16_t kNoId = UINT16_MAX;
inline constexpr BackendId kNoBackend = UINT32_MAX;
inline constexpr PoolId kNoPool = UINT32_MAX;
inline constexpr PathId kNoPath = UINT32_MAX;

/// A next hop whose MAC is configured: nothing that it or anybody says changes it.
struct PinnedNeighbour {
  net::Ipv4Address ip;
  net::MacAddress mac;
  bool operator==(const PinnedNeighbour&) const = default;
};

struct InterfaceView {
  std::string name;
  uint16_t port;  // ethdev port id
  net::MacAddress mac;
  std::vector<net::Ipv4Prefix> addresses;
  uint16_t mtu = 1500;  // of IP packets that leave or come in there
  std::vector<PinnedNeighbour> pinned = {};
  // Raised by the control thread each time that the link comes up: our addresses are announced
  // there again, and next hops asked whether they are still the same.
  uint32_t link_ups = 0;
  // Worked out by seal().
  std::vector<net::Ipv4Address> announced = {};  // ours that are on this link
  bool faces_backends = false;                   // the way to one of them leads out here
};

/// One way out. The longest prefix wins, and of equal ones the first.
template <class Address>
struct RouteOf {
  net::Prefix<Address> to;
  Address via;         // zero: the destination itself is on the link
  uint16_t interface;  // index into Snapshot::interfaces
  Address source;      // what our requests for neighbours carry; zero where we have none there
};
using Route = RouteOf<net::Ipv4Address>;

/// RFC 4787, REQ-5: two minutes at least.
inline constexpr uint32_t kDefaultUdpIdleMs = 120'000;

enum class SchedulerKind : uint8_t { kRoundRobin, kLeastConnections, kSourceHash };
enum class OnRefusal : uint8_t { kReset, kDrop };

struct BackendView {
  BackendId id;
  net::Endpoint address;
  uint32_t weight;            // 0: drains
  std::vector<PathId> paths;  // one for each local address
  uint32_t sharers = 1;       // services whose backends have these pools
};

struct ServiceView {
  ServiceId id;
  std::string name;
  net::Protocol protocol;
  net::Endpoint vip;
  SchedulerKind scheduler;
  OnRefusal on_refusal;
  bool reset_on_timeout;
  bool rewrite_timestamps;
  bool mss_clamp;  // SYNs state no larger segments than both ways can carry
  // Of UDP.
  uint32_t udp_idle_ms = kDefaultUdpIdleMs;
  bool udp_one_shot = false;     // a flow is over when each request has its answer
  bool udp_refresh_both = true;  // false: a backend's datagrams do not keep a flow
  std::vector<BackendView> backends;
  // Weighted round robin, where the scheduler asks for it: indices into `backends`.
  std::vector<uint16_t> wrr_order;
};

/// A pool by what it is to the network. Those of removed backends stay as long as flows use them.
struct PoolView {
  PoolId id;
  net::Protocol protocol;
  net::Ipv4Address local;
  net::Endpoint backend;
};

/// A removed service that still has flows.
struct RemovedService {
  ServiceId id;
  net::Protocol protocol;
  net::Endpoint vip;
};

struct Snapshot {
  // Of interfaces, addresses, routes and backends: what neighbours are told and asked. Snapshots
  // that differ in weights alone have the same.
  uint64_t network_generation = 0;
  uint64_t link_generation = 0;             // grows when a link comes up; worked out by seal()
  std::vector<InterfaceView> interfaces;    // by index
  std::vector<uint16_t> interface_of_port;  // ethdev port id -> index into `interfaces`
  std::vector<Route> routes;
  std::vector<ServiceView> services;
  std::vector<RemovedService> removed_services;
  std::vector<PoolView> pools;
  std::vector<uint16_t> udp_services;            // index into `services`; worked out by seal()
  std::vector<net::Ipv4Address> own_everywhere;  // VIPs and local addresses; sorted, unique
  std::vector<net::Ipv4Address> locals;          // sorted, unique
  bool mss_clamp = false;                        // that of any service
  bool draining = false;                         // no new flow, whatever the service
  uint32_t flow_log_sample = 0;                  // one flow in so many is logged; 0: none
  uint32_t half_open_percent =
      50;  // of ports and entries, that handshakes may hold; see admission.h
  ReuseRules reuse;
  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;

  /// Whose a destination is, asked for each packet: a VIP's, nobody's, or a local address's, which
  /// has a number from kFirstLocal on.
  enum class Owner : uint32_t { kVip, kFirstLocal, kNobody = FlatMap<>::kNone };
  /// Local addresses that there can be: their numbers are 16 bits of a key.
  static constexpr size_t kLocals = 32'767;
  static constexpr bool is_local(Owner owner) {
    return owner != Owner::kVip && owner != Owner::kNobody;
  }
  Owner owner_of(net::Ipv4Address ip) const { return static_cast<Owner>(owners_.find(ip.raw)); }
  /// The service of a VIP, removed ones too, or kNoId.
  ServiceId service_at(net::Protocol protocol, net::Endpoint vip) const {
    return static_cast<ServiceId>(services_at_.find(word_of(protocol, vip)));
  }
  /// The pool of a local address towards a backend, or kNoPool.
  PoolId pool_at(net::Protocol protocol, net::Ipv4Address local, net::Endpoint backend) const {
    return pool_at(protocol, owner_of(local), backend);
  }
  PoolId pool_at(net::Protocol protocol, Owner local, net::Endpoint backend) const {
    static_assert(kNoPool == FlatMap<>::kNone);
    return pools_.find(word_of(protocol, local, backend));
  }
  /// The service with this id, or nullptr where it is removed and takes no new flows.
  const ServiceView* find_service(ServiceId id) const {
    const uint16_t view = id < views_.size() ? views_[id] : kNoId;
    return view == kNoId ? nullptr : &services[view];
  }
  const Route* find_route(net::Ipv4Address destination) const {
    const uint32_t found = route_table_.find(destination);
    return found == route_table_.kNone ? nullptr : &routes[found];
  }
  /// Why nobody can send from `ip` what comes in by `interface`; asked for what belongs to no flow.
  enum class SourceFault : uint8_t {
    kNone,
    kOwn,        // ours, on whatever interface
    kBroadcast,  // the broadcast address, or the network's own, of a network on a link
    kMisplaced   // a backend's, and the way to it is another interface
  };
  SourceFault source_fault(net::Ipv4Address ip, uint16_t interface) const;
  bool is_local(net::Ipv4Address ip) const { return is_local(owner_of(ip)); }
  /// Whether `ip` is ours as seen on `interface`: a VIP, a local address, or an address of that
  /// interface.
  bool is_own(net::Ipv4Address ip, uint16_t interface) const;

  /// Sorts what is looked up by search and fills maps and tables; the builder calls it last.
  void seal();

 private:
  static constexpr uint64_t word_of(net::Protocol protocol, net::Endpoint e) {
    return uint64_t{static_cast<uint8_t>(protocol)} << 48 | uint64_t{e.ip.raw} << 16 | e.port.raw;
  }
  static constexpr uint64_t word_of(net::Protocol protocol, Owner local, net::Endpoint backend) {
    return uint64_t{static_cast<uint32_t>(local)} << 49 | word_of(protocol, backend);
  }
  void seal_owners();
  void seal_sources();
  void seal_announcements();

  RouteTable<net::Ipv4Address> route_table_;  // of `routes`
  std::vector<uint16_t> views_;               // by service id: index into `services`, or kNoId
  FlatMap<> own_;                             // own_everywhere, as a set
  FlatMap<> owners_;                          // address -> Owner
  FlatMap<> services_at_;                     // protocol and VIP -> service id
  FlatMap<> sources_;  // address -> kSourceIsOurs, kSourceIsBroadcast, or a backend's interface
  FlatMap<> pools_;    // protocol, number of the local address as an owner, backend -> pool
};

}  // namespace sluice
