// SPDX-License-Identifier: BSD-3-Clause
// Word to the sender of a packet of a flow that is too large for its way on, in either family.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/direction.h"

namespace sluice {

/// `segment`: as it came in, but for the numbers of an adjusted flow, which it gets back. `mtu`:
/// what its sender may send. The word comes from the address that the packet was sent to.
void tell_sender(Core& core, const Flow& flow, Segment& segment, Direction direction, uint16_t mtu);

}  // namespace sluice
