// SPDX-License-Identifier: BSD-3-Clause
// How much memory a configuration takes, told before anything is started.
//
// Tables, packet buffers and rings come from DPDK's heap, each worker's from its own NUMA node, and
// are taken at start; eal.memory_mb has to hold them. Port pools are made beside it when a
// configuration names them, and grow as their ports are used, to limits.port_memory_mb at most.
#pragma once

#include <cstdint>
#include <string>

#include "control/config/config.h"

namespace sluice::control {

// Bytes, of all workers.
struct MemoryPlan {
  uint64_t flow_tables = 0;
  uint64_t kept_flows = 0;      // of these: in state.directory
  uint64_t other_tables = 0;    // next hops, kept SYNs
  uint64_t packets = 0;         // buffers, and rings between workers
  uint64_t port_pools = 0;      // beside DPDK's heap, at the start
  uint64_t port_pools_max = 0;  // the same once as many ports have been used as there can be

  uint64_t from_dpdk() const { return flow_tables - kept_flows + other_tables + packets; }
};

// A packet buffer: the interface with the largest MTU says how large.
uint32_t packet_buffer_bytes(const Config& config);

// Next hops of IPv6 that a worker has room for: as many as of IPv4, or a table of the default size
// where no interface has IPv6 at the start.
uint32_t ipv6_neighbours_per_worker(const Config& config);
/// Fragments that may wait at one worker. They may all lie in buffers of another, so the workers
/// share out what may wait in the buffers of each.
uint32_t fragment_count_max(const Config& config);

MemoryPlan plan_memory(const Config& config);
// One line for the log.
std::string to_string(const MemoryPlan& plan);
// Throws StartError where eal.memory_mb cannot hold what the plan takes from DPDK.
void check_memory(const Config& config, const MemoryPlan& plan);
// What the machine has left for what is not in hugepages; a warning when the plan goes beyond it,
// else empty. `meminfo` is /proc/meminfo outside of tests.
std::string doubt_about_memory(const Config& config, const MemoryPlan& plan, bool hugepages,
                               const std::string& meminfo = "/proc/meminfo");

}  // namespace sluice::control
