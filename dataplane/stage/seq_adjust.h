// SPDX-License-Identifier: BSD-3-Clause
// Flows whose numbers are not passed on as they are: adjusted ones and those on the balancer's
// clock.
//
// Flow::adjusted is the one predictable branch that all other flows pay for this.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/state/time_wait.h"

namespace sluice {

/// The balancer's timestamp clock towards a pool's backend: milliseconds of the wall clock and what
/// it is ahead of that; never behind what was sent, across restarts too.
uint32_t pool_clock(const Core& core, const PoolState& pool);

/// A client's SYN as the backend of `pool` would see it as it is.
SynNumbers as_sent(const Core& core, const PoolState& pool, bool rewrite, SynNumbers syn);

/// Sets a flow up for a SYN with the client's own `syn` numbers and the adjustment that its port
/// needs.
void set_adjust(Core& core, uint32_t index, bool rewrite, const SynNumbers& syn,
                net::SeqAdjust adjust);

/// Client's numbers to the backend's view, and back. Only for adjusted flows.
void adjust_inbound(Core& core, uint32_t index, net::TcpHeader& tcp);
void adjust_outbound(Core& core, uint32_t index, net::TcpHeader& tcp);

/// Makes a client's SYN, its own or sent again, what the flow's backend is to get but for
/// addresses.
void shape_syn(Core& core, uint32_t index, Segment& syn);

/// A SYN that is not the flow's own, without a trace in the flow; see passed_syn.h.
void adjust_passed_syn(const Core& core, const Flow& flow, bool rewrite, net::TcpHeader& tcp);

}  // namespace sluice
