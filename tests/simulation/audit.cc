// SPDX-License-Identifier: BSD-3-Clause
// Walks tables.
#include "tests/simulation/audit.h"

#include <map>

namespace sluice::sim {
namespace {

std::string at(uint32_t flow, const char* what) {
  return "flow " + std::to_string(flow) + " " + what;
}

// Flows against the index and the ports; `holding` counts those that hold a port of each pool.
std::string audit_flows(const Core& core, std::map<const PoolState*, uint64_t>& holding,
                        uint32_t& live) {
  for (uint32_t i = 0; i < core.flows.flow_count_max(); ++i) {
    const Flow& flow = core.flows[i];
    if (!flow.live) continue;
    ++live;
    if (core.flows.find(core.flows.name(flow)) != i) return at(i, "is not found by its key");
    const PoolState& pool = core.pool(flow);
    const PortPool::Use* use = pool.ports.find(flow.local_port.host());
    if (use == nullptr) return at(i, "has a port that its pool has not");
    if (is_closed(flow.state()) == flow.holds_port) return at(i, "is over, and holds a port");
    if (!flow.holds_port) continue;
    ++holding[&pool];
    if (use->place != PortPool::Place::kInUse) return at(i, "holds a port that rests");
    if (use->flow != i) return at(i, "holds a port of another flow");
  }
  return {};
}

}  // namespace

namespace {

uint64_t hash_of(const void* data, size_t size, uint64_t hash) {
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3;
  }
  return hash;
}

uint64_t numbers_of(const Flow& flow) {
  if (flow.state() != FlowState::kSynSent) return 0;
  uint64_t hash = hash_of(&flow.bounds, sizeof flow.bounds, 0xcbf29ce484222325);
  hash = hash_of(&flow.tcp, sizeof flow.tcp, hash);
  return hash_of(&flow.adjust, sizeof flow.adjust, hash) | 1;
}

}  // namespace

std::vector<FlowTuple> tuples_of(const Core& core) {
  std::vector<FlowTuple> tuples;
  for (uint32_t i = 0; i < core.flows.flow_count_max(); ++i) {
    const Flow& flow = core.flows[i];
    if (!flow.live) continue;
    const bool is_open = !is_closed(flow.state()) && flow.state() != FlowState::kSynSent;
    tuples.push_back(
        {core.flows.name(flow), flow.path, flow.local_port.host(), is_open, numbers_of(flow)});
  }
  return tuples;
}

std::string audit(const Core& core) {
  std::map<const PoolState*, uint64_t> holding;
  uint32_t live = 0;
  if (std::string wrong = audit_flows(core, holding, live); !wrong.empty()) return wrong;
  if (live != core.flows.flow_count()) return "entries are taken that are no flows";
  for (const PoolState* pool : core.registry.pools) {
    if (pool == nullptr) continue;
    const PortPool::Counters& counters = pool->ports.counters();
    if (counters.in_use.value() != holding[pool]) return "ports are in use by no flow";
    const uint64_t all =
        counters.in_use.value() + counters.available.value() + counters.time_wait.value();
    if (all != pool->ports.set().size()) return "ports are missing";
  }
  return {};
}

}  // namespace sluice::sim
