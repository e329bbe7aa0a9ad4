// SPDX-License-Identifier: BSD-3-Clause
// Everything that one worker owns, in one place; the stages are functions on it.
//
// No stage allocates, locks, logs or enters the kernel: all of this is sized at construction.
// Stages take a packet and a Core and return a Verdict; whoever called them frees what was not
// passed on.
#pragma once

#include <cstdint>
#include <memory_resource>

#include "dataplane/net/drop_reason.h"
#include "dataplane/net/siphash.h"
#include "dataplane/next_hops.h"
#include "dataplane/state/clock_map.h"
#include "dataplane/state/flow_table.h"
#include "dataplane/state/registry.h"
#include "dataplane/state/snapshot.h"
#include "dataplane/state/syn_store.h"
#include "dataplane/state/timer_wheel.h"
#include "dataplane/tx.h"

namespace sluice {

struct CoreLimits {
  uint32_t flow_count_max = 1u << 20;
  uint32_t neighbour_count_max = 16384;
  uint32_t syn_count_max = 65536;
};

struct CoreSetup {
  const char* name;  // of this worker's flow table; unique in the process
  CoreLimits limits;
  net::SipKey secret;  // from the system's random source; never leaves the process
  int numa_socket = 0;
  std::pmr::memory_resource* memory = std::pmr::get_default_resource();
  rte_mempool* packets;  // for packets of our own
  Tx::Transmit transmit;
  void* transmit_context;
  uint64_t now_ms = 0;
  uint64_t wall_clock_ms = 0;  // at now_ms
};

struct Core {
  /// Throws std::runtime_error or std::bad_alloc when the memory is not to be had.
  explicit Core(const CoreSetup& setup)
      : now_ms(setup.now_ms),
        clock_base_ms(setup.wall_clock_ms - setup.now_ms),
        random(setup.secret),
        flows(setup.name, setup.limits.flow_count_max, static_cast<uint32_t>(random.next()),
              setup.numa_socket, setup.memory),
        flow_timers(setup.limits.flow_count_max, setup.now_ms, setup.memory),
        clock_maps(setup.limits.flow_count_max, setup.memory),
        syns(setup.limits.syn_count_max, setup.memory),
        tx(setup.transmit, setup.transmit_context, setup.packets, counters),
        next_hops(tx, counters, setup.limits.neighbour_count_max, setup.now_ms, setup.memory) {}

  uint64_t now_ms;                     // read once a burst
  uint64_t clock_base_ms;              // wall clock - now_ms
  const Snapshot* snapshot = nullptr;  // the one in force during this burst
  net::Random random;
  WorkerCounters counters;
  FlowTable flows;
  TimerWheel flow_timers;
  std::pmr::vector<ClockMap> clock_maps;  // by flow; of flows whose timestamps are rewritten
  SynStore syns;
  Registry registry;
  Tx tx;
  NextHops next_hops;

  uint32_t now32() const { return static_cast<uint32_t>(now_ms); }
  void count(Event event) { counters.count(event); }
  ServiceState& service(const Flow& flow) { return *registry.services[flow.service]; }
  BackendState& backend(const Flow& flow) { return *registry.backends[flow.backend]; }
  PoolState& pool(const Flow& flow) { return *registry.pools[flow.pool]; }
};

/// A frame in a buffer, and what parse() made of it.
struct Segment {
  rte_mbuf* buffer;
  net::Packet packet;

  FlowKey key() const {
    return {{packet.ip->source, packet.tcp->source_port},
            {packet.ip->destination, packet.tcp->destination_port}};
  }
};

}  // namespace sluice
