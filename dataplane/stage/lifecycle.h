// SPDX-License-Identifier: BSD-3-Clause
// What a new state of a flow brings with it.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// After `event`, which `segment` was: counts, timers, the end of a handshake, the end of the flow.
void enter_state(Core& core, uint32_t index, FlowState before, TcpEvent event,
                 const Segment& segment);

}  // namespace sluice
