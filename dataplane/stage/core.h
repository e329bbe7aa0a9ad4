// SPDX-License-Identifier: BSD-3-Clause
// Everything that one worker owns, in one place; the stages are functions on it.
//
// No stage allocates, locks, logs or enters the kernel: all of this is sized at construction.
// Stages take a packet and a Core and return a Verdict; whoever called them frees what was not
// passed on.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

#include "dataplane/net/siphash.h"
#include "dataplane/net/syn_cookie.h"
#include "dataplane/net/verdict.h"
#include "dataplane/port/client_table.h"
#include "dataplane/port/flow_log_ring.h"
#include "dataplane/port/handoff.h"
#include "dataplane/port/kernel_rings.h"
#include "dataplane/port/reassembly.h"
#include "dataplane/port/rte_hash_index.h"
#include "dataplane/port/steering.h"
#include "dataplane/port/tx.h"
#include "dataplane/port/wall_clock.h"
#include "dataplane/stage/announcements.h"
#include "dataplane/stage/mld_reports.h"
#include "dataplane/stage/next_hops.h"
#include "dataplane/state/flat_map.h"
#include "dataplane/state/flow_table.h"
#include "dataplane/state/half_open.h"
#include "dataplane/state/icmp_limit.h"
#include "dataplane/state/refused_sources.h"
#include "dataplane/state/registry.h"
#include "dataplane/state/snapshot.h"
#include "dataplane/state/syn_memory.h"
#include "dataplane/state/syn_store.h"
#include "dataplane/state/timer_wheel.h"
#include "dataplane/state/why_ring.h"

namespace sluice {

class StageClocks;
class Trace;

struct CoreLimits {
  uint32_t flow_count_max = 1u << 20;
  uint32_t neighbour_count_max = 16384;
  uint32_t syn_count_max = 65536;
  FlowIndexKind flow_index = FlowIndexKind::kCompact;  // which needs no EAL
  uint32_t why_count_max = 1024;
  uint32_t client_count_max = 0;  // of guarded services; needs EAL
  uint32_t neighbour6_count_max = 16384;
  uint32_t fragment_count_max = 0;  // that wait for others; 0: none are put together. Needs EAL
};

/// What a Core is made of. It owns nothing of what the pointers name: all of that outlives it.
struct CoreSetup {
  CoreLimits limits;
  net::SipKey secret;  // from the system's random source; never leaves the process
  std::pmr::memory_resource* memory = std::pmr::get_default_resource();
  KeptMemory kept;       // what outlives the process
  int numa_socket = -1;  // of what DPDK allocates by itself; -1: any
  rte_mempool* packets;  // for packets of our own
  Tx::Transmit transmit;
  void* transmit_context;
  uint64_t now_ms = 0;
  uint64_t wall_clock_ms = 0;  // at now_ms
  uint32_t worker = 0;
  const Steering* steering = nullptr;  // of all workers; nullptr: it is alone
  const Rings* rings = nullptr;        // between all workers
  bool has_peers = false;              // other workers look into this one
};

/// Flows that were adopted by another worker than the one that serves their clients: packets of
/// such a client go there. Who opens a flow has a port of its own for it, so there are none but
/// after a restart with other workers.
struct Elsewhere {
  FlatMap<uint64_t> v4;
  FlatMap<FlowKey6> v6;
  bool any = false;

  void set(const FlowName& name, uint32_t worker) {
    any = true;
    name.is_v4() ? v4.set(name.v4().word(), worker) : v6.set(name.v6(), worker);
  }
  /// UINT32_MAX where there is none.
  uint32_t find(const FlowName& name) const {
    return name.is_v4() ? v4.find(name.v4().word()) : v6.find(name.v6());
  }
};

/// How far the work has come that is done a little in each iteration (upkeep.h).
struct Upkeep {
  static constexpr uint32_t kDone = UINT32_MAX;

  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;  // as of the snapshot before
  uint32_t next_flow = kDone;  // from here on timers may still stand where old limits set them
  uint64_t aged_ms = 0;        // when ports were aged last
  uint32_t next_pool = 0;      // in the snapshot's list
  uint32_t next_port = 0;      // of those that the pool has used
};

/// Where the burst in hand comes from.
enum class BurstOrigin : uint8_t {
  kReceived,
  kTakenOver,   // another worker received it
  kReassembled  // its fragments were counted when they came
};

struct Core {
  /// Throws std::runtime_error or std::bad_alloc when the memory is not to be had.
  explicit Core(const CoreSetup& setup)
      : now_ms(setup.now_ms),
        wall_clock{setup.now_ms, setup.wall_clock_ms},
        random(setup.secret),
        flows(setup.limits.flow_count_max, random, setup.memory, maker_of(setup.limits.flow_index),
              setup.numa_socket, setup.kept),
        flow_timers(&flows[0].timer, sizeof(Flow), setup.limits.flow_count_max, setup.now_ms),
        half_open(&flows[0]),
        syns(setup.limits.syn_count_max, setup.memory),
        syn_memory(random, setup.memory),
        tx(setup.transmit, setup.transmit_context, setup.packets, counters),
        next_hops(tx, counters, mac_conflicts, setup.limits.neighbour_count_max, setup.now_ms,
                  setup.memory, net::siphash(setup.secret, UINT64_MAX - 1)),
        next_hops6(tx, counters, mac_conflicts, setup.limits.neighbour6_count_max, setup.now_ms,
                   setup.memory, net::siphash(setup.secret, UINT64_MAX - 2)),
        icmp_limit(setup.secret),
        cookies({net::siphash(setup.secret, UINT64_MAX - 3),
                 net::siphash(setup.secret, UINT64_MAX - 4)}),
        fragment_id(static_cast<uint16_t>(net::siphash(setup.secret, UINT64_MAX))),
        announcements(tx, counters),
        mld_reports(tx, counters, random),
        worker(setup.worker),
        steering(setup.steering == nullptr ? alone() : *setup.steering),
        handoff(setup.rings, setup.worker, counters),
        why(setup.limits.why_count_max, setup.memory),
        clients({setup.limits.client_count_max, setup.limits.flow_count_max, random, setup.memory,
                 setup.numa_socket, setup.has_peers}),
        refused_sources(make_refused_sources(random)) {
    registry.port_chunks.count_missed_in(
        counters.events[static_cast<size_t>(Event::port_memory_missed)]);
    if (setup.kept.port_chunks != nullptr) registry.port_chunks.set_memory(setup.kept.port_chunks);
    if (setup.kept.clock_maps != nullptr) registry.clock_maps.set_memory(setup.kept.clock_maps);
    if (setup.kept.proxy_tracks != nullptr)
      registry.proxy_tracks.set_memory(setup.kept.proxy_tracks);
    if (setup.kept.splices != nullptr) registry.splices.set_memory(setup.kept.splices);
    if (setup.limits.fragment_count_max > 0) reassembly = make_reassembly(setup);
  }

  uint64_t now_ms;                     // read once a burst
  uint64_t now_us = 0;                 // as well, of a clock of its own
  WallClock wall_clock;                // as control told it last
  const Snapshot* snapshot = nullptr;  // the one in force during this burst
  uint64_t network_generation = 0;     // of that one
  uint64_t link_generation = 0;        // as well
  Upkeep upkeep;
  uint32_t snapshot_count = 0;  // how many there were; a number for the one in force
  net::Random random;
  WorkerCounters counters;
  FlowTable flows;
  TimerWheel flow_timers;
  HalfOpen half_open;
  SynStore syns;
  SynMemory syn_memory;
  Registry registry;
  Tx tx;
  MacConflicts mac_conflicts;
  NextHops next_hops;
  NextHops6 next_hops6;
  IcmpLimit icmp_limit;
  net::SynCookies cookies;
  uint16_t fragment_id;         // of the next packet that leaves in fragments
  Announcements announcements;  // as well as the reports of one worker for all
  MldReports mld_reports;
  std::array<uint32_t, kInterfacesMax> link_ups{};  // of the snapshot in force, by interface
  // By interface; of those without a kernel nullptr. Set before the worker starts.
  std::array<KernelRings*, kInterfacesMax> kernel_rings{};
  FlowLogRing* flow_log = nullptr;      // set before a snapshot asks for it
  Trace* trace = nullptr;               // what SetTrace has set
  StageClocks* stage_clocks = nullptr;  // as well SetStageClocks
  uint32_t worker;
  const Steering& steering;
  Handoff handoff;
  Elsewhere elsewhere;
  BurstOrigin origin = BurstOrigin::kReceived;
  std::unique_ptr<Reassembly> reassembly;  // nullptr: fragments are dropped
  PacketBuffer datagrams;                  // that the burst in hand has made whole: they follow it
  WhyRing why;
  ClientTable clients;
  std::array<RefusedSources, net::kGuardReasonCount> refused_sources;  // by reason
  // The other workers', for what their counters say. Set before any of them starts.
  std::vector<const Core*> peers;

  /// Sends a packet of our own towards an address of its family; what cannot be sent is dropped.
  void send(rte_mbuf* packet, const net::IpAddress& destination, NextHop& hop) {
    if (destination.is_v4()) {
      next_hops.send(*snapshot, packet, destination.v4(), hop, now_ms);
    } else {
      next_hops6.send(*snapshot, packet, destination.v6(), hop, now_ms);
    }
  }
  template <class Address>
  NextHopsOf<Address>& next_hops_of() {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return next_hops;
    } else {
      return next_hops6;
    }
  }
  template <class Address>
  const NextHopsOf<Address>& next_hops_of() const {
    return const_cast<Core*>(this)->next_hops_of<Address>();
  }

  bool taken_over() const { return origin == BurstOrigin::kTakenOver; }
  uint32_t now32() const { return static_cast<uint32_t>(now_ms); }
  void count(Event event) { counters.count(event); }
  /// The connection of a flow's client is established: its next hop is no stranger's any more.
  void note_client_established(const Flow& flow) {
    if (!flow.has_v6_client()) [[likely]]
      return next_hops.note_established(flow.to_client, now_ms);
    next_hops6.note_established(flow.to_client, now_ms);
  }
  /// A flow goes from one state to another.
  void note_state(FlowState before, FlowState now) {
    counters.flows_in(before).subtract();
    counters.flows_in(now).add();
  }
  /// Gives up the SYN that is kept of a flow whose handshake is not done.
  void release_syn(Flow& flow) { syns.release(std::exchange(flow.syn_slot, SynStore::kNone)); }
  ServiceState& service(const Flow& flow) { return *registry.services[flow.key.service]; }
  BackendState& backend(const Flow& flow) { return *registry.paths[flow.path].backend; }
  PoolState& pool(const Flow& flow) { return *registry.paths[flow.path].pool; }
  const PoolState& pool(const Flow& flow) const { return *registry.paths[flow.path].pool; }
  ClockMap& clock_map(uint32_t flow) { return registry.clock_maps[flow]; }
  ProxyTrack& proxy_track(uint32_t flow) { return registry.proxy_tracks[flow]; }
  const ProxyTrack& proxy_track(uint32_t flow) const { return registry.proxy_tracks[flow]; }
  Splice& splice(uint32_t flow) { return registry.splices[flow]; }
  const Splice& splice(uint32_t flow) const { return registry.splices[flow]; }
  uint32_t index_of(const Flow& flow) const { return static_cast<uint32_t>(&flow - &flows[0]); }

  // The four addresses of a flow.
  net::Endpoint client(const Flow& flow) const { return flows.client(flow); }
  const net::Endpoint& vip(const Flow& flow) const {
    return registry.services[flow.key.service]->vip;
  }
  net::Endpoint local(const Flow& flow) const { return {pool(flow).local, flow.local_port}; }
  const net::Endpoint& backend_address(const Flow& flow) const { return pool(flow).backend; }
  // Of the family that both ends of that side have.
  net::Translation to_backend4(const Flow& flow) const {
    const PoolState& from = pool(flow);
    return {{from.local.v4(), flow.local_port}, from.backend.v4(), flow.deltas};
  }
  net::Translation to_client4(const Flow& flow) const {
    return {vip(flow).v4(), flow.key.client, flow.deltas.reversed()};
  }
  net::Translation6 to_backend6(const Flow& flow) const {
    const PoolState& from = pool(flow);
    return {{from.local.v6(), flow.local_port}, from.backend.v6(), flow.deltas};
  }
  net::Translation6 to_client6(const Flow& flow) const {
    return {vip(flow).v6(), flows.client6(flow), flow.deltas.reversed()};
  }

  // Flows by the tuples of either side; FlowTable::kNone where there is none.
  uint32_t flow_of_client(net::Protocol protocol, const net::Endpoint& client,
                          const net::Endpoint& vip) const {
    const ServiceId id = snapshot->service_at(protocol, vip);
    return id == kNoId ? FlowTable::kNone : flows.find({client, id});
  }
  uint32_t flow_of_backend(net::Protocol protocol, const net::Endpoint& backend,
                           const net::Endpoint& local) const {
    const PoolId id = snapshot->pool_at(protocol, local.ip, backend);
    return id == kNoPool ? FlowTable::kNone : flow_of_port(id, local.port);
  }
  uint32_t flow_of_port(PoolId pool, net::be16 port) const {
    const PortPool::Use* use = registry.pools[pool]->ports.find(port.host());
    return use == nullptr || use->flow == PortPool::kNoFlow ? FlowTable::kNone : use->flow;
  }

 private:
  std::unique_ptr<Reassembly> make_reassembly(const CoreSetup& setup) {
    const uint64_t factor = net::siphash(setup.secret, UINT64_MAX - 3) | 1;
    return std::make_unique<Reassembly>(
        ReassemblySetup{setup.worker, setup.limits.fragment_count_max, setup.packets,
                        setup.numa_socket, factor, setup.memory},
        counters);
  }
  static std::array<RefusedSources, net::kGuardReasonCount> make_refused_sources(
      net::Random& random) {
    return [&]<size_t... i>(std::index_sequence<i...>) {
      return std::array{(static_cast<void>(i), RefusedSources(random.next()))...};
    }
    (std::make_index_sequence<net::kGuardReasonCount>());
  }
  static const Steering& alone() {
    static const Steering steering;
    return steering;
  }
};

/// A frame in a buffer, and what parse() made of it.
struct Segment {
  rte_mbuf* buffer;
  net::Packet packet;

  // Of TCP and UDP.
  net::Endpoint source() const { return {packet.source_ip(), packet.ports->source_port}; }
  net::Endpoint destination() const {
    return {packet.destination_ip(), packet.ports->destination_port};
  }
  // Of a packet whose family is known.
  template <class Address>
  net::EndpointOf<Address> source_of() const {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return {packet.ip->source, packet.ports->source_port};
    } else {
      return {packet.ip6->source, packet.ports->source_port};
    }
  }
  template <class Address>
  net::EndpointOf<Address> destination_of() const {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return {packet.ip->destination, packet.ports->destination_port};
    } else {
      return {packet.ip6->destination, packet.ports->destination_port};
    }
  }
};

}  // namespace sluice
