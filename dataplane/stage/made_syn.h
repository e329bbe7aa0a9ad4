// SPDX-License-Identifier: BSD-3-Clause
// A client's SYN in a buffer of our own.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// The SYN that is kept of a flow, as its client sent it but without data; false without a buffer.
bool copy_syn(Core& core, const Flow& flow, Segment& syn);

/// Sends a SYN with the numbers that the flow's backend is to see.
void send_made_syn(Core& core, uint32_t index, Segment& syn);

}  // namespace sluice
