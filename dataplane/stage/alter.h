// SPDX-License-Identifier: BSD-3-Clause
// Flows whose numbers are not passed on as they are: fitted ones and those on the balancer's clock.
//
// Flow::altered is the one predictable branch that all other flows pay for this.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/state/time_wait.h"

namespace sluice {

/// The balancer's timestamp clock towards a pool's backend: milliseconds of the wall clock and what it
/// is ahead of that; never behind what was sent, across restarts too.
uint32_t pool_clock(const Core& core, const PoolState& pool);

/// A client's SYN as the backend of `pool` would see it without a fit.
SynNumbers as_sent(const Core& core, const PoolState& pool, bool rewrite, SynNumbers syn);

/// Sets a flow up for a SYN with the client's own `syn` numbers and the shift that its port needs.
void set_alteration(Core& core, uint32_t index, bool rewrite, const SynNumbers& syn,
                    net::Shift shift);

/// Client's numbers to the backend's view, and back. Only for altered flows.
void alter_inbound(Core& core, uint32_t index, net::TcpHeader& tcp);
void alter_outbound(Core& core, uint32_t index, net::TcpHeader& tcp);

/// A SYN that is not the flow's own, without a trace in the flow; see passed_syn.h.
void alter_passed_syn(const Core& core, const Flow& flow, bool rewrite, net::TcpHeader& tcp);

}  // namespace sluice
