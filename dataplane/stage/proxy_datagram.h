// SPDX-License-Identifier: BSD-3-Clause
// The PROXY header of a UDP flow: in front of what its client's first datagrams carry, in the same
// datagrams.
//
// Each has it until the backend has answered: any of them may be the first that arrives.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Puts the header into a datagram whose flow has one. Passed: it is longer now, and nothing else
/// has been done to it; else it is as it came.
net::Verdict put_header_in_datagram(Core& core, uint32_t index, Segment& datagram);

}  // namespace sluice
