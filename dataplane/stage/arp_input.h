// SPDX-License-Identifier: BSD-3-Clause
// ARP that comes in: learnt from, answered for our addresses (RFC 826, RFC 5227).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

net::Verdict arp_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
