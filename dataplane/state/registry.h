// SPDX-License-Identifier: BSD-3-Clause
// What one worker keeps for each service, backend and (local ip, backend) pool, across reloads.
//
// The control thread makes an entry under a free id before it publishes the first snapshot that
// names the id, and frees it only when no snapshot names it, no flow uses it, its port pool has no
// TIME_WAIT left to remember, and a grace period has passed. In between only the worker writes.
//
// A backend's counters are of one service; a pool's ports are shared by all services of a protocol
// that have this backend. A path joins the two, so that a flow finds both by one number.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/state/beside_flows.h"
#include "dataplane/state/clock_map.h"
#include "dataplane/state/counter.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/half_open.h"
#include "dataplane/state/histogram.h"
#include "dataplane/state/port_pool.h"
#include "dataplane/state/proxy_track.h"
#include "dataplane/state/rate_window.h"
#include "dataplane/state/snapshot.h"
#include "dataplane/state/splice.h"
#include "dataplane/state/state_table.h"

namespace sluice {

/// What a service needs to answer in its backends' name (syn_cookies.h).
struct CookieState {
  // What backends have agreed to last.
  bool is_known = false;  // one has
  bool timestamps = false;
  bool sack = false;
  bool ecn = false;
  // What the first one had, and clients are told for good.
  bool has_window_scale = false;
  uint8_t told_scale = 0;
  uint16_t mss = 0;
  uint32_t learned_ms = 0;
  // When handshakes were many last, and when a cookie was sent last; where that ever was.
  uint32_t flood_ms = 0;
  uint32_t sent_ms = 0;
  bool any_flood = false;
  bool any_sent = false;
  // Since window_ms.
  uint32_t window_ms = 0;
  uint32_t sent = 0;
  uint32_t accepted = 0;
};

struct ServiceState {
  /// Workers begin each at a place of its own, so that few connections do not all meet one backend.
  explicit ServiceState(const net::Endpoint& address, uint32_t worker = 0)
      : vip(address), cursor(worker) {}

  net::Endpoint vip;
  Counter connections;  // flows opened
  Counter refused;      // new flows refused for want of a backend, a port or a flow entry
  Counter active;       // flows that are not over
  RateWindow opened;    // flows, where that has a limit
  uint32_t cursor;      // round robin position
  CookieState cookies;
  uint32_t udp_idle_ms = kDefaultUdpIdleMs;  // as configured last: the service may be removed
};

struct BackendState {
  explicit BackendState(BackendId backend) : id(backend) {}

  Counter packets_in;   // to the backend
  Counter packets_out;  // from it
  Counter bytes_in;
  Counter bytes_out;
  Counter active;       // flows that are not over
  Counter flows;        // flow entries, closed ones included
  Counter connections;  // flows opened
  Counter answered;     // SYN-ACKs, and first answers over UDP
  Counter refused;      // RST to a SYN, and UDP ports that ICMP calls unreachable
  Counter unanswered;   // SYNs that a client had to send again for want of either; UDP flows that
                        // ended without an answer
  Counter resets;       // established flows ended by RST, by either end
  Counter timeouts;     // flows that ran out of idle time
  Counter heals;        // stale answers met
  Counter heal_moves;   // heals that took another port
  Counter heals_succeeded;
  Counter heals_failed;
  HandshakeTimes handshakes;
  Counter timestamps_kept;     // SYN-ACKs that keep the timestamps that the SYN offered
  Counter timestamps_refused;  // and that do not
  uint32_t next_pool = 0;      // local address to try first
  NextHop next_hop;            // towards the backend
  HalfOpenQueue half_open;
  BackendId id;
};

struct PoolState {
  PoolState(const net::IpAddress& local_ip, const net::Endpoint& backend_address,
            std::shared_ptr<const PortShares> port_shares, uint32_t worker, net::Random& random,
            PortChunks& chunks, net::Protocol protocol = net::Protocol::kTcp)
      : local(local_ip),
        backend(backend_address),
        is_v4(local_ip.is_v4()),
        shares(std::move(port_shares)),
        ports(shares->set(worker), random, chunks, {protocol, local_ip, backend_address}) {}

  net::IpAddress local;
  net::Endpoint backend;
  bool is_v4;             // both are
  Counter flows;          // flow entries, closed ones included
  Counter clock_lead_ms;  // of the balancer's timestamp clock towards this backend
  std::shared_ptr<const PortShares> shares;  // which worker has which port
  PortPool ports;
};

/// From one local address to a backend of a service; owns neither.
struct Path {
  PoolState* pool;  // nullptr: no path has this id
  BackendState* backend;
};

struct Registry {
  // Removed ones that linger included, so that a reload may name others altogether.
  static constexpr size_t kServices = 4096;
  static constexpr size_t kBackends = 131'072;
  static constexpr size_t kPools = 262'144;
  static constexpr size_t kPaths = 262'144;
  static_assert(kServices <= kNoId);

  PortChunks port_chunks;
  StateTable<ServiceState, kServices> services;
  StateTable<BackendState, kBackends> backends;
  StateTable<PoolState, kPools> pools;
  ZeroedTable<Path, kPaths> paths;
  std::vector<const Registry*> peers;    // of the other workers
  BesideFlows<ClockMap> clock_maps;      // once a service has its timestamps rewritten
  BesideFlows<ProxyTrack> proxy_tracks;  // once a service sends PROXY headers
  BesideFlows<Splice> splices;           // once a service answers by SYN cookies
};

}  // namespace sluice
