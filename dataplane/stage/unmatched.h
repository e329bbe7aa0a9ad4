// SPDX-License-Identifier: BSD-3-Clause
// What is for none of our addresses (`[[interface]] unmatched`): dropped, the kernel's, or on its
// way through, as a router passes it on (RFC 1812; RFC 8200).
//
// A packet that is forwarded keeps all but its TTL: no flow, no port and no checksum of what it
// carries is looked at, so that any worker may have it, and fragments need not be put together.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Of a packet to our MAC whose network header parse() found right, and whose destination is not
/// ours on `interface`; kind and reason may be anything.
net::Verdict unmatched_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
