// SPDX-License-Identifier: BSD-3-Clause
// Owners, seen from one worker.
#include "dataplane/stage/ownership.h"

namespace sluice {
uint32_t other_owner_of_client(const Core& core, const net::Endpoint& client,
                               const net::Endpoint& vip) {
  if (!may_be_elsewhere(core)) return kNotElsewhere;
  uint16_t interface = 0;
  if (!core.steering.is_uniform()) {
    const uint16_t towards = core.snapshot->interface_towards(client.ip);
    if (towards != Snapshot::kNoInterface) interface = towards;
  }
  const uint32_t owner = core.steering.owner_of_client(client, vip, interface);
  return owner == core.worker || owner == Steering::kReceiver ? kNotElsewhere : owner;
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
  if (core.taken_over) return;
  for (uint32_t worker = 0; worker < core.handoff.worker_count(); ++worker) {
    if (worker == core.worker) continue;
    rte_mbuf* copy = core.tx.copy(segment.buffer);
    if (copy == nullptr) return;
    core.handoff.give(worker, core.snapshot->interfaces[interface].port, copy);
  }
}

}  // namespace sluice
