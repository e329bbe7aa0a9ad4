// SPDX-License-Identifier: BSD-3-Clause
// ICMP that comes in, of either family: echo is answered, errors about flows are passed on
// (icmp_flow_error.h). What ICMPv6 has of a link's own is not here (icmp6_input.h).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

net::Verdict icmp_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
