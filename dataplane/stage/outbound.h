// SPDX-License-Identifier: BSD-3-Clause
// Backend to client: follow TCP, rewrite back, send; and judge what answers a SYN.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// A segment of a flow that exists. Passed: the buffer is on its way.
net::Verdict outbound(Core& core, uint32_t index, Segment& segment);

/// A segment to a local address that no flow has: a RST tells the backend that nobody is there.
net::Verdict outbound_miss(Core& core, Segment& segment);

}  // namespace sluice
