// SPDX-License-Identifier: BSD-3-Clause
// The one place where a flow ends.
//
// Its port is given back at once, with what the tuple leaves at the backend. Where both ends know
// that the connection is over, the entry stays for late segments until its timer ends, its port or
// entry is wanted, or its client begins anew; else it is freed.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/state/flow_record.h"

namespace sluice {

/// Ends a flow: tells the flow log and the ring of `why`, resets the ends that would not know (see
/// kResets in the .cc), gives the port back. `before` is the state that it ended in; one that was
/// closed then is only freed. `last` is the packet that ended it, as it came, where there is one.
void end_flow(Core& core, uint32_t index, FlowEnd end, FlowState before,
              const Segment* last = nullptr);
inline void end_flow(Core& core, uint32_t index, FlowEnd end) {
  end_flow(core, index, end, core.flows[index].state());
}

/// Frees the entry of a flow that has ended, or that never began.
void free_flow(Core& core, uint32_t index);

}  // namespace sluice
