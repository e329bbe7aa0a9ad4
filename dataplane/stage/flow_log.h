// SPDX-License-Identifier: BSD-3-Clause
// Tells the flow log of flows that have ended, and of clients that got none.
//
// While nobody wants a log (Snapshot::flow_log_sample), it costs a flow one branch at its end.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Tells of a flow that ended in `state`, while the flow is still as it was.
void log_end(Core& core, const Flow& flow, FlowState state, FlowEnd end);

/// Tells of a SYN or a datagram to a service that got no flow.
void log_refusal(Core& core, const Segment& first, net::DropReason reason);

}  // namespace sluice
