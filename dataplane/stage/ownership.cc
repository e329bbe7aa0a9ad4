// SPDX-License-Identifier: BSD-3-Clause
// Owners, seen from one worker.
#include "dataplane/stage/ownership.h"

namespace sluice {
namespace {

/// Steering::kReceiver: whoever receives.
uint32_t owner_of_client(const Core& core, const net::Endpoint& client, const net::Endpoint& vip) {
  uint16_t interface = 0;
  if (!core.steering.is_uniform()) {
    const uint16_t towards = core.snapshot->interface_towards(client.ip);
    if (towards != Snapshot::kNoInterface) interface = towards;
  }
  return core.steering.owner_of_client(client, vip, interface);
}

}  // namespace

uint32_t other_owner_of_client(const Core& core, const net::Endpoint& client,
                               const net::Endpoint& vip) {
  if (!may_be_elsewhere(core)) return kNotElsewhere;
  const uint32_t owner = owner_of_client(core, client, vip);
  return owner == core.worker || owner == Steering::kReceiver ? kNotElsewhere : owner;
}

// A packet that was handed to us already goes on only where its steering leads here, so that none
// goes round.
uint32_t adopter_of(const Core& core, const FlowName& name, const net::Endpoint& vip) {
  if (!core.elsewhere.any) [[likely]]
    return kNotElsewhere;
  if (core.taken_over() && owner_of_client(core, name.client, vip) != core.worker) {
    return kNotElsewhere;
  }
  return core.elsewhere.find(name);
}

uint32_t other_owner_of_port(const Core& core, net::Protocol protocol, const net::Endpoint& local,
                             const net::Endpoint& backend) {
  if (!may_be_elsewhere(core)) return kNotElsewhere;
  const PoolId pool = core.snapshot->pool_at(protocol, local.ip, backend);
  if (pool == kNoPool) return kNotElsewhere;
  const uint8_t owner = core.registry.pools[pool]->shares->owner_of(local.port.host());
  return owner == core.worker || owner == PortShares::kNobody ? kNotElsewhere : owner;
}

net::Verdict hand_off(Core& core, uint32_t worker, const Segment& segment, uint16_t interface) {
  core.handoff.give(worker, core.snapshot->interfaces[interface].port, segment.buffer);
  return net::Fate::kHandedOff;
}

void hand_copies(Core& core, const Segment& segment, uint16_t interface) {
  if (core.taken_over()) return;
  for (uint32_t worker = 0; worker < core.handoff.worker_count(); ++worker) {
    if (worker == core.worker) continue;
    rte_mbuf* copy = core.tx.copy(segment.buffer);
    if (copy == nullptr) return;
    core.handoff.give(worker, core.snapshot->interfaces[interface].port, copy);
  }
}

}  // namespace sluice
