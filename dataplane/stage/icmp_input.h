// SPDX-License-Identifier: BSD-3-Clause
// ICMP that comes in: echo is answered, errors about flows are translated (RFC 5508) and believed
// if they can be true (RFC 5927).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

net::Verdict icmp_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
