// SPDX-License-Identifier: BSD-3-Clause
// Notes for `sluicectl why`: handshakes that were refused, failed, were reset or had to be healed.
//
// Each is a call on a slow path. The packet is noted as it is when the call is made: before it is
// answered or translated.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/state/flow_record.h"

namespace sluice {

/// A client's packet that no flow takes.
void note_refusal(Core& core, const Segment& segment, net::DropReason reason);

/// A flow that ends in `before`; most ends are no news. `last` is the packet that ended it, or
/// nullptr.
void note_unusual_end(Core& core, const Flow& flow, FlowState before, FlowEnd end,
                      const Segment* last);
inline void note_end(Core& core, const Flow& flow, FlowState before, FlowEnd end,
                     const Segment* last) {
  if (end <= FlowEnd::backend_fin) return;
  note_unusual_end(core, flow, before, end, last);
}

/// A flow whose backend answers after stale answers were met.
void note_healed(Core& core, const Flow& flow, const Segment& answer);

}  // namespace sluice
