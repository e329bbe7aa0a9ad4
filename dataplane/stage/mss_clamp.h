// SPDX-License-Identifier: BSD-3-Clause
// The maximum segment size that the two ends of a flow are told.
//
// Path MTU discovery needs ICMP that arrives; a SYN that states no more than Sluice's own two ways
// carry does not, so where MTUs differ no segment is ever too large.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Lowers the MSS of a SYN or SYN-ACK to what both ways of its flow carry, where the service wants
/// it, and always where its ends are of two families: neither knows that the other's header is of
/// another length.
void clamp_mss(const Core& core, const Flow& flow, net::TcpHeader& tcp);
/// That MSS; UINT16_MAX where none is wanted.
uint16_t mss_limit(const Core& core, const Flow& flow);

}  // namespace sluice
