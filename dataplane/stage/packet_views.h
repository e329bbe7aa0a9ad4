// SPDX-License-Identifier: BSD-3-Clause
// Copies the essentials of packets and flows, for `trace` and `why`.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/state/packet_view.h"

namespace sluice {

/// Of a TCP segment or a datagram, as it is now.
PacketView view_of(const Segment& segment);
FlowView view_of(const Core& core, const Flow& flow);

}  // namespace sluice
