// SPDX-License-Identifier: BSD-3-Clause
// Packets that belong to another worker: whose they are, and on their way to it.
//
// Asked for what no flow of ours has; a flow that is ours says by itself that its packets are. What
// was taken over from another worker is never handed on: it belongs here.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

inline constexpr uint32_t kNotElsewhere = UINT32_MAX;

/// False where the rest need not be asked.
inline bool may_be_elsewhere(const Core& core) {
  return core.steering.kind() != SteeringKind::kAlone && !core.taken_over();
}

/// The other worker that serves a client; kNotElsewhere when it is this one, or whoever received.
uint32_t other_owner_of_client(const Core& core, const net::Endpoint& client,
                               const net::Endpoint& vip);
/// The other worker that has adopted the flow of a client whom we serve, from a process before;
/// kNotElsewhere where none has. Of a key that no flow of ours has.
uint32_t adopter_of(const Core& core, const FlowName& name, const net::Endpoint& vip);
/// The other worker that has the local port of a tuple; kNotElsewhere when it is this one's, or
/// nobody's.
uint32_t other_owner_of_port(const Core& core, net::Protocol protocol, const net::Endpoint& local,
                             const net::Endpoint& backend);

/// Gives a packet that came in on `interface` to another worker.
net::Verdict hand_off(Core& core, uint32_t worker, const Segment& segment, uint16_t interface);
/// Gives a copy to every other worker, and leaves the packet with us.
void hand_copies(Core& core, const Segment& segment, uint16_t interface);

}  // namespace sluice
