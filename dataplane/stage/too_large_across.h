// SPDX-License-Identifier: BSD-3-Clause
// Packets that are larger than the MTU of their way out, where IPv6 is on either side (RFC 8200,
// section 5; RFC 7915, sections 4 and 5.1).
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/direction.h"

namespace sluice {

/// Meets a packet of `flow` that is as it came in, but for the numbers of an adjusted flow, and
/// that would not fit `mtu` once it is translated. Its sender is told at a bounded rate, by the
/// error of its family, what would fit; what came over IPv4 without DF, and what goes to IPv4 and
/// is so small that IPv6 has no word for it, leaves in fragments.
net::Verdict too_large_across(Core& core, Flow& flow, Segment& segment, Direction direction,
                              uint16_t mtu);

}  // namespace sluice
