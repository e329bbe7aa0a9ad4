// SPDX-License-Identifier: BSD-3-Clause
// What is not TCP of a flow: ARP, ICMP echo, ICMP errors about flows.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

net::Verdict arp_input(Core& core, Segment& segment, uint16_t interface);
/// Refuses what nobody can have sent from `source` and what came in by `interface` all the same.
net::Verdict judge_source(const Core& core, net::Ipv4Address source, uint16_t interface);

net::Verdict icmp_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
