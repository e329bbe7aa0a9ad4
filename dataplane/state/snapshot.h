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
#include <type_traits>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"
#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/quic.h"
#include "dataplane/state/guard_view.h"
#include "dataplane/state/port_pool.h"
#include "dataplane/state/snapshot_network.h"
#include "dataplane/state/syn_cookie_mode.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

/// A next hop whose MAC is configured: nothing that it or anybody says changes it.
template <class Address>
struct PinnedNeighbourOf {
  Address ip;
  net::MacAddress mac;
  bool operator==(const PinnedNeighbourOf&) const = default;
};
using PinnedNeighbour = PinnedNeighbourOf<net::Ipv4Address>;

/// A family's addresses on a link.
template <class Address>
struct LinkAddresses {
  std::vector<net::Prefix<Address>> own;  // the interface's
  std::vector<PinnedNeighbourOf<Address>> pinned;
  std::vector<Address> announced;  // ours that are on this link; worked out by seal()

  bool is_own(const Address& ip) const {
    for (const net::Prefix<Address>& prefix : own) {
      if (prefix.address == ip) return true;
    }
    return false;
  }
};

/// What becomes of packets that are for none of our addresses.
enum class Unmatched : uint8_t { kDrop, kKernel, kForward };

struct InterfaceView {
  std::string name;
  uint16_t port;  // of its link: the ethdev port, or a number of its own in a VLAN (trunk.h)
  net::MacAddress mac;
  LinkAddresses<net::Ipv4Address> v4;
  LinkAddresses<net::Ipv6Address> v6;
  uint16_t mtu = 1500;  // of IP packets that leave or come in there
  // Raised by the control thread each time that the link comes up: our addresses are announced
  // there again, and next hops asked whether they are still the same.
  uint32_t link_ups = 0;
  // Solicited-node groups of v6.announced, each once; worked out by seal().
  std::vector<net::Ipv6Address> groups;
  Unmatched unmatched = Unmatched::kDrop;
  bool faces_backends = false;  // the way to one of them leads out here; worked out by seal()

  bool is_own(const net::IpAddress& ip) const {
    return ip.is_v4() ? v4.is_own(ip.v4()) : v6.is_own(ip.v6());
  }
  template <class Address>
  const LinkAddresses<Address>& of() const {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return v4;
    } else {
      return v6;
    }
  }
};

/// RFC 4787, REQ-5: two minutes at least.
inline constexpr uint32_t kDefaultUdpIdleMs = 120'000;

enum class SchedulerKind : uint8_t { kRoundRobin, kLeastConnections, kSourceHash };
enum class OnRefusal : uint8_t { kReset, kDrop };

struct BackendView {
  BackendId id;
  net::Endpoint address;
  uint32_t weight;               // 0: drains
  std::vector<PathId> paths;     // one for each local address
  uint32_t sharers = 1;          // services whose backends have these pools
  uint64_t max_connections = 0;  // of all workers; 0: no limit
};

/// Which backend a QUIC connection ID names. `service` has the backends by number.
struct QuicView {
  struct Server {
    uint64_t id;
    uint16_t backend;  // index into ServiceView::backends

    friend constexpr auto operator<=>(const Server&, const Server&) = default;
  };
  net::QuicIdLayout layout{};
  std::vector<Server> servers;  // sorted; empty: the service is not told to look
};

/// How PROXY headers are written: what services are configured to send. One that has been given out
/// stays what it is, as flows name it by its number.
struct ProxyForm {
  net::ProxyVersion version = net::ProxyVersion::kV2;
  std::string authority;  // empty: none
  bool operator==(const ProxyForm&) const = default;
};
inline constexpr uint16_t kNoProxyForm = UINT16_MAX;

struct ServiceView {
  ServiceId id;
  std::string name;
  net::Protocol protocol;
  net::Endpoint vip;
  SchedulerKind scheduler;
  OnRefusal on_refusal;
  bool reset_on_timeout;
  bool rewrite_timestamps;
  bool mss_clamp;         // SYNs state no larger segments than both ways can carry
  bool icmp_echo = true;  // the VIP answers echo requests; of several services that of any
  // Of UDP.
  uint32_t udp_idle_ms = kDefaultUdpIdleMs;
  bool udp_one_shot = false;     // a flow is over when each request has its answer
  bool udp_refresh_both = true;  // false: a backend's datagrams do not keep a flow
  QuicView quic;
  GuardView guard = {};
  uint16_t proxy_form = kNoProxyForm;  // index into Snapshot::proxy_forms
  SynCookieMode syn_cookies = SynCookieMode::kNever;
  bool has_extras = false;  // any of these three; worked out by seal()
  bool toa = false;         // the client's address in a TCP option, see toa.h
  std::vector<BackendView> backends;
  // Weighted round robin, where the scheduler asks for it: indices into `backends`.
  std::vector<uint16_t> wrr_order;
};

/// A pool by what it is to the network. Those of removed backends stay as long as flows use them.
struct PoolView {
  PoolId id;
  net::Protocol protocol;
  net::IpAddress local;  // of the backend's family
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
  std::vector<uint16_t> interface_of_port;  // InterfaceView::port -> index into `interfaces`
  NetworkOf<net::Ipv4Address> v4;
  NetworkOf<net::Ipv6Address> v6;
  std::vector<ServiceView> services;
  std::vector<RemovedService> removed_services;
  std::vector<PoolView> pools;
  std::vector<ProxyForm> proxy_forms;
  std::vector<uint16_t> udp_services;  // index into `services`; worked out by seal()
  // That of any service; seal() adds that of flows whose ends may be of two families.
  bool mss_clamp = false;
  bool draining = false;         // no new flow, whatever the service
  uint32_t flow_log_sample = 0;  // one flow in so many is logged; 0: none
  uint32_t half_open_percent =
      50;  // of ports and entries, that handshakes may hold; see admission.h
  ReuseRules reuse;
  std::shared_ptr<const AccessList> access;  // for all services; nullptr: anybody
  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;

  template <class Address>
  const NetworkOf<Address>& of() const {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return v4;
    } else {
      return v6;
    }
  }
  /// The service of a VIP, removed ones too, or kNoId.
  ServiceId service_at(net::Protocol protocol, const net::Endpoint& vip) const {
    return vip.ip.is_v4() ? v4.service_at(protocol, vip.v4()) : v6.service_at(protocol, vip.v6());
  }
  /// The pool of a local address towards a backend, or kNoPool.
  PoolId pool_at(net::Protocol protocol, const net::IpAddress& local,
                 const net::Endpoint& backend) const;
  /// The service with this id, or nullptr where it is removed and takes no new flows.
  const ServiceView* find_service(ServiceId id) const {
    const uint16_t view = id < views_.size() ? views_[id] : kNoId;
    return view == kNoId ? nullptr : &services[view];
  }
  /// The interface of the way to an address, or kNoInterface.
  static constexpr uint16_t kNoInterface = UINT16_MAX;
  uint16_t interface_towards(const net::IpAddress& destination) const;
  SourceFault source_fault(const net::IpAddress& ip, uint16_t interface) const {
    return ip.is_v4() ? v4.source_fault(ip.v4(), interface) : v6.source_fault(ip.v6(), interface);
  }
  bool is_local(const net::IpAddress& ip) const {
    return ip.is_v4() ? v4.is_local(ip.v4()) : v6.is_local(ip.v6());
  }
  /// Whether `ip` is ours as seen on `interface`: a VIP, a local address, or an address of that
  /// interface.
  template <class Address>
  bool is_own(const Address& ip, uint16_t interface) const {
    return of<Address>().is_own_everywhere(ip) || interfaces[interface].of<Address>().is_own(ip);
  }
  bool is_own(const net::IpAddress& ip, uint16_t interface) const {
    return ip.is_v4() ? is_own(ip.v4(), interface) : is_own(ip.v6(), interface);
  }

  // What the builder tells of addresses, each as often as it likes.
  void add_own_everywhere(const net::IpAddress& ip);
  void add_local(const net::IpAddress& ip);  // which is own everywhere too
  /// Sorts what is looked up by search and fills maps and tables; the builder calls it last.
  void seal();

 private:
  void seal_services();
  void seal_mss_clamp();
  void seal_echo();
  void seal_pools();
  void seal_sources();
  template <class Address>
  void seal_announcements();
  void seal_groups();

  std::vector<uint16_t> views_;  // by service id: index into `services`, or kNoId
};

}  // namespace sluice
