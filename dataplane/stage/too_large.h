// SPDX-License-Identifier: BSD-3-Clause
// Packets that are larger than the MTU of their way out (RFC 1812, section 5.2.7.1; RFC 1191).
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/direction.h"

namespace sluice {

/// Meets a translated packet of `flow` that try_send() did not take: with DF its sender is told by
/// ICMP, at a bounded rate, and quoted what it sent; without, the packet leaves in fragments.
net::Verdict too_large(Core& core, Flow& flow, Segment& segment, Direction direction);

}  // namespace sluice
