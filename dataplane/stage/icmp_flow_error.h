// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors about packets of flows, from either family to either: found by the packet that they
// quote, believed if they can be true (RFC 5927), and translated on their way to whoever sent it
// (RFC 5508, section 4; RFC 7915, sections 4.2 and 5.2).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

struct FlowErrorResult {
  net::Verdict verdict;
  bool is_flows;  // false: nobody here knows what it is about
};

/// An error to an address of ours, with a right checksum.
FlowErrorResult flow_error_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
