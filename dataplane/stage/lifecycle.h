// SPDX-License-Identifier: BSD-3-Clause
// How a flow begins and ends: backend, local port, entry; and back again.
//
// A flow that is over gives its port back at once but keeps its entry for late segments, until the
// entry's timer ends, its port or entry is wanted, or its client begins anew.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Begins a flow for a client's SYN: schedules, takes a port, enters both keys. The SYN itself is
/// shifted where the port's history asks for it, but not yet translated or sent. `index` is set on
/// success.
net::Verdict open_flow(Core& core, const ServiceView& service, Segment& syn, uint32_t& index);

/// Makes a client's SYN the one that the flow's backend will judge: alters its numbers where the
/// flow's are altered, and follows TCP from it.
void begin_handshake(Core& core, uint32_t index, Segment& syn);

/// Gives an open flow to the connection of its PassedSyn, which the backend has just answered with
/// `syn_ack`. It is in syn_sent then, on the same port.
void restart_flow(Core& core, uint32_t index, const Segment& syn_ack);

/// After `event`: counts, timers, and what else a new state brings.
void enter_state(Core& core, uint32_t index, TcpState before, TcpEvent event);

/// Ends a flow whose connection may not be over, without a word to the client: the backend is reset
/// where it may still hold the connection, the port is given back, the entry freed.
void abandon_flow(Core& core, uint32_t index, FlowEnd why);

/// Moves a flow's timer up to its idle limit, where a longer one has set it.
void hasten_flow(Core& core, uint32_t index);

/// Ends a flow whose timer fired and that was silent too long.
void expire_flow(Core& core, uint32_t index);

/// To be called once for each flow that has ended, while the flow is still as it was; `state` is the
/// one it ended in.
inline void note_end(Core& core, const Flow& flow, TcpState state, FlowEnd end) {
  if (core.snapshot->flow_log_sample != 0) [[unlikely]] {
    log_end(core, flow, state, end);
  }
}

/// Frees a flow's entry, giving the port back first where that has not happened.
void erase_flow(Core& core, uint32_t index);

/// A local port towards `backend` for a SYN with these numbers, by the rules in force.
/// `known_first` asks, where fits are allowed, for a tuple whose past is known before one that may
/// hold a surprise: for a SYN that has just met one.
struct PortChoice {
  PoolId pool;
  PortPool::Taken taken;
};
std::optional<PortChoice> choose_port(Core& core, const BackendView& backend, bool rewrite,
                                      const SynNumbers& syn, bool known_first);

/// Gives a flow, whose key is set, the port that was chosen; its addresses are complete then.
void set_port(Core& core, uint32_t index, const PortChoice& choice);

/// The flow's backend in the snapshot in force; nullptr once a reload has removed it.
const BackendView* configured_backend(const Core& core, const Flow& flow);

/// Whether a client had better be served elsewhere: the backend is removed or takes no new flows.
/// Never while the whole balancer drains, for then there is no elsewhere.
bool is_retired(const Core& core, const Flow& flow);

SynNumbers syn_numbers(const net::TcpHeader& syn);

/// What the flow's tuple leaves at the backend as of now.
Legacy legacy_of(const Core& core, const Flow& flow);

}  // namespace sluice
