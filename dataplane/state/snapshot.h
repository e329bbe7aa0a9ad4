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
#include "dataplane/state/port_pool.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

using ServiceId = uint16_t;
using BackendId = uint16_t;
using PoolId = uint16_t;
inline constexpr uint16_t kNoId = UINT16_MAX;

struct InterfaceView {
  std::string name;
  uint16_t port;  // ethdev port id
  net::MacAddress mac;
  std::vector<net::Ipv4Prefix> addresses;
};

/// One way out. The longest prefix wins; a Snapshot keeps them sorted so.
struct Route {
  net::Ipv4Prefix to;
  net::Ipv4Address via;     // zero: the destination itself is on the link
  uint16_t interface;       // index into Snapshot::interfaces
  net::Ipv4Address source;  // what our ARP requests carry; zero where we have none there
};

enum class SchedulerKind : uint8_t { kRoundRobin, kLeastConnections, kSourceHash };
enum class OnRefusal : uint8_t { kReset, kDrop };

struct BackendView {
  BackendId id;
  net::Endpoint address;
  uint32_t weight;            // 0: drains
  std::vector<PoolId> pools;  // one for each local address
};

struct ServiceView {
  ServiceId id;
  std::string name;
  net::Endpoint vip;
  SchedulerKind scheduler;
  OnRefusal on_refusal;
  bool reset_on_timeout;
  bool rewrite_timestamps;
  std::vector<BackendView> backends;
  std::vector<uint16_t> turns;  // weighted round robin: indices into `backends`
};

struct Snapshot {
  uint64_t generation = 0;
  std::vector<InterfaceView> interfaces;         // by index
  std::vector<uint16_t> interface_of_port;       // ethdev port id -> index into `interfaces`
  std::vector<Route> routes;                     // longest prefix first
  std::vector<ServiceView> services;             // sorted by vip
  std::vector<net::Ipv4Address> own_everywhere;  // VIPs and local addresses; sorted, unique
  std::vector<net::Ipv4Address> locals;          // sorted, unique
  ReuseRules reuse;
  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;

  const ServiceView* find_service(net::Endpoint vip) const;
  const Route* find_route(net::Ipv4Address destination) const;
  bool is_local(net::Ipv4Address ip) const;
  /// Whether `ip` is ours as seen on `interface`: a VIP, a local address, or an address of that
  /// interface.
  bool is_own(net::Ipv4Address ip, uint16_t interface) const;

  /// Sorts what is looked up by search; the builder calls it last.
  void seal();
};

}  // namespace sluice
