// SPDX-License-Identifier: BSD-3-Clause
// Sums over workers.
#include "control/daemon/core/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "control/common/errors.h"
#include "control/config/link_addresses.h"
#include "dataplane/net/frame_size.h"
#include "dataplane/port/flow_log_ring.h"
#include "dataplane/port/packet_pool.h"
#include "dataplane/stage/core.h"

namespace sluice::control {
namespace {

constexpr uint64_t megabytes(uint64_t bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

uint64_t available_bytes(const std::string& meminfo) {
  std::ifstream lines(meminfo);
  for (std::string key; lines >> key;) {
    uint64_t kilobytes = 0;
    if (key == "MemAvailable:" && lines >> kilobytes) return kilobytes * 1024;
    lines.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return UINT64_MAX;  // cannot tell
}

// What the other index would make of it, where that is less.
std::string saved_by_compact(const Config& config) {
  if (config.limits.flow_index == FlowIndexKind::kCompact) return {};
  const uint32_t flows = config.limits.flows_per_worker;
  uint64_t less = flow_index_bytes(config.limits.flow_index, flows) -
                  flow_index_bytes(FlowIndexKind::kCompact, flows);
  return fmt::format("; limits.flow_index = \"compact\" takes {} MB less",
                     megabytes(less * config.eal.worker_lcores.size()));
}

// What IPv6 clients need beside the flows: an index of their own, and their addresses.
uint64_t client_table_bytes(const LimitsConfig& limits) {
  return flow_index6_bytes(limits.flow_index, limits.flows_per_worker) +
         uint64_t{limits.flows_per_worker} * sizeof(net::Ipv6Address);
}

// Of these, what outlives the process, and has files of its own.
uint64_t kept_bytes(const Config& config) {
  const uint64_t flows = config.limits.flows_per_worker;
  return FlowTable::bytes(config.limits.flows_per_worker) +
         (has_ipv6_vip(config) ? flows * sizeof(net::Ipv6Address) : 0);
}

// Of each worker: a pool has a chunk from the beginning, the reserve some, and later each as many
// as its share of the ports needs.
void plan_port_pools(const Config& config, MemoryPlan& plan) {
  const uint64_t workers = config.eal.worker_lcores.size();
  uint64_t pools = 0, chunks = 0;
  for (const ServiceConfig& service : config.services) {
    const LocalPoolConfig& locals = local_pool_of(config, service);
    const uint64_t count = service.backends.size() * locals.addresses.size();
    const uint64_t share = (locals.ports.size() + workers - 1) / workers;
    pools += count;
    chunks += count * PortPool::chunks_of(static_cast<uint32_t>(share));
  }
  const uint64_t reserve =
      std::clamp<uint64_t>(pools / 4, PortChunks::kReserveMin, PortChunks::kReserveMax);
  const uint64_t at_start = std::min(chunks, pools + reserve) * workers * sizeof(PortChunk);
  const uint64_t limit = uint64_t{config.limits.port_memory_mb} << 20;
  const uint64_t all = chunks * workers * sizeof(PortChunk);
  plan.port_pools = pools * workers * sizeof(PoolState) + at_start;
  plan.port_pools_max =
      pools * workers * sizeof(PoolState) + std::max(at_start, std::min(all, limit));
}

}  // namespace

uint32_t packet_buffer_bytes(const Config& config) {
  uint32_t bytes = net::buffer_bytes_for(0);
  for (const InterfaceConfig& interface : config.interfaces) {
    bytes = std::max(bytes, net::buffer_bytes_for(interface.mtu.value_or(0)));
  }
  return bytes;
}

uint32_t ipv6_neighbours_per_worker(const Config& config) {
  constexpr uint32_t kWithoutIpv6 = 16384;
  const uint32_t all = config.limits.neighbours_per_worker;
  return has_ipv6(config) ? all : std::min(all, kWithoutIpv6);
}

uint32_t fragment_count_max(const Config& config) {
  const auto workers = static_cast<uint32_t>(config.eal.worker_lcores.size());
  return (config.limits.fragments_per_worker + workers - 1) / workers;
}

MemoryPlan plan_memory(const Config& config) {
  const uint64_t workers = config.eal.worker_lcores.size();
  MemoryPlan plan;
  plan.flow_tables =
      workers * (FlowTable::bytes(config.limits.flows_per_worker) +
                 flow_index_bytes(config.limits.flow_index, config.limits.flows_per_worker));
  plan.other_tables =
      workers *
      (Neighbours::bytes(config.limits.neighbours_per_worker) +
       NeighboursOf<net::Ipv6Address>::bytes(ipv6_neighbours_per_worker(config)) +
       SynStore::bytes(config.limits.syns_per_worker) + SynMemory::bytes() + FlowLogRing::bytes() +
       WhyRing::bytes(config.limits.why_per_worker) +
       ClientTable::bytes(config.limits.clients_per_worker, config.limits.flows_per_worker) +
       Reassembly::bytes(fragment_count_max(config), packet_buffer_bytes(config)));
  if (has_ipv6_vip(config)) plan.flow_tables += workers * client_table_bytes(config.limits);
  if (config.state.keep) plan.kept_flows = workers * kept_bytes(config);
  plan.packets = workers * packet_pool_bytes(static_cast<uint32_t>(config.interfaces.size()),
                                             packet_buffer_bytes(config)) +
                 workers * (workers - 1) * Rings::kPackets * sizeof(void*);
  plan_port_pools(config, plan);
  return plan;
}

std::string to_string(const MemoryPlan& plan) {
  const std::string kept =
      plan.kept_flows == 0 ? ""
                           : fmt::format(" ({} MB in state.directory)", megabytes(plan.kept_flows));
  return fmt::format(
      "flow tables {} MB{}, packets {} MB, other tables {} MB; port pools {} to {} MB beside",
      megabytes(plan.flow_tables), kept, megabytes(plan.packets), megabytes(plan.other_tables),
      megabytes(plan.port_pools), megabytes(plan.port_pools_max));
}

void check_memory(const Config& config, const MemoryPlan& plan) {
  const uint64_t needed = megabytes(plan.from_dpdk());
  if (needed <= config.eal.memory_mb) return;
  throw StartError(fmt::format(
      "eal.memory_mb: {} MB cannot hold what {} workers take, {} MB ({}); raise it, or lower "
      "limits.flows_per_worker (now {}){}",
      config.eal.memory_mb, config.eal.worker_lcores.size(), needed, to_string(plan),
      config.limits.flows_per_worker, saved_by_compact(config)));
}

std::string doubt_about_memory(const Config& config, const MemoryPlan& plan, bool hugepages,
                               const std::string& meminfo) {
  const uint64_t wanted =
      plan.kept_flows + plan.port_pools_max + (hugepages ? 0 : config.eal.memory_mb * (1ull << 20));
  const uint64_t available = available_bytes(meminfo);
  if (wanted <= available) return {};
  return fmt::format("the machine has {} MB of memory left, and {} MB may be used", available >> 20,
                     megabytes(wanted));
}

}  // namespace sluice::control
