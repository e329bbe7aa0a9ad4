// SPDX-License-Identifier: BSD-3-Clause
// Idle limits that a reload has lowered, and 32-bit clocks.
#include "dataplane/stage/upkeep.h"

#include <algorithm>

#include "dataplane/stage/idle_limit.h"

namespace sluice {
namespace {

// In the order of a burst's work; a million flows take a tenth of a second on an idle worker.
constexpr uint32_t kFlowsPerIteration = 64;
constexpr uint64_t kPortsPerIteration = 64;

/// Moves a flow's timer up to its idle limit, where a longer one has set it.
void hasten_flow(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  const uint32_t timeout = idle_limit_ms(core, flow);
  const uint32_t idle = stamp_age_ms(core.now32(), flow.last_seen_ms);
  core.flow_timers.hasten(index, core.now_ms + (idle < timeout ? timeout - idle : 0));
}

void hasten_flows(Core& core) {
  uint32_t& next = core.upkeep.next_flow;
  const uint32_t end = std::min(next + kFlowsPerIteration, core.flows.flow_count_max());
  for (; next < end; ++next) {
    if (core.flows[next].live) hasten_flow(core, next);
  }
  if (next == core.flows.flow_count_max()) next = Upkeep::kDone;
}

/// One used port each millisecond: 2^31 of them until one would be too old, more than there are.
void age_ports(Core& core) {
  Upkeep& upkeep = core.upkeep;
  const auto& pools = core.snapshot->pools;
  uint64_t count = std::min(core.now_ms - upkeep.aged_ms, kPortsPerIteration);
  upkeep.aged_ms = core.now_ms;
  for (; count > 0 && !pools.empty(); --count) {
    if (upkeep.next_pool >= pools.size()) upkeep.next_pool = upkeep.next_port = 0;
    PortPool& ports = core.registry.pools[pools[upkeep.next_pool].id]->ports;
    if (upkeep.next_port < ports.used_count()) ports.age(upkeep.next_port++, core.now32());
    if (upkeep.next_port >= ports.used_count()) {
      ++upkeep.next_pool;
      upkeep.next_port = 0;
    }
  }
}

}  // namespace

void adopt_timeouts(Core& core, const Snapshot& snapshot) {
  Upkeep& upkeep = core.upkeep;
  bool lowered = !std::ranges::equal(upkeep.timeouts_ms, snapshot.timeouts_ms,
                                     [](uint32_t old, uint32_t now) { return old <= now; });
  upkeep.timeouts_ms = snapshot.timeouts_ms;
  for (const uint16_t view : snapshot.udp_services) {
    const ServiceView& service = snapshot.services[view];
    uint32_t& idle_ms = core.registry.services[service.id]->udp_idle_ms;
    lowered |= service.udp_idle_ms < idle_ms;
    idle_ms = service.udp_idle_ms;
  }
  if (lowered) upkeep.next_flow = 0;
}

void run_upkeep(Core& core) {
  if (core.upkeep.next_flow != Upkeep::kDone) hasten_flows(core);
  if (core.upkeep.aged_ms != core.now_ms) age_ports(core);
}

}  // namespace sluice
