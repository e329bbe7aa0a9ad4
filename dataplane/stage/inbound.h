// SPDX-License-Identifier: BSD-3-Clause
// Client to backend: look the flow up or open it, follow TCP, rewrite, send.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// A segment of a flow that exists. Passed: the buffer is on its way.
net::Verdict inbound(Core& core, uint32_t index, Segment& segment);

/// A segment to a service's address that no flow has.
net::Verdict inbound_miss(Core& core, const ServiceView& service, Segment& segment);

}  // namespace sluice
