// SPDX-License-Identifier: BSD-3-Clause
// Packets that are larger than the MTU of their way out, where IPv6 is on either side (RFC 8200,
// section 5; RFC 7915, sections 4 and 5.1).
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/too_large.h"

namespace sluice {

/// Meets a packet of `flow` that is as it came in, but for the numbers of an adjusted flow, and
/// that would not fit `mtu` once it is translated: its sender is told at a bounded rate, by the
/// error of its family.
net::Verdict too_large_across(Core& core, Flow& flow, Segment& segment, Direction direction,
                              uint16_t mtu);

}  // namespace sluice
