// SPDX-License-Identifier: BSD-3-Clause
// The last step of a flow's packet where IPv6 is on either side: translated within IPv6, or from
// one family to the other (RFC 7915).
//
// Full NAT has new addresses for each packet anyway, so the families of client and backend are
// independent. Out of line: IPv4 to IPv4, in forward.h, pays nothing for it.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/direction.h"

namespace sluice {

/// Counts, translates and sends a packet of `flow`. `share` is kStrangers as long as its client may
/// be anybody.
net::Verdict forward_across(Core& core, Flow& flow, Segment& segment, Direction direction,
                            NeighbourKinds::Share share);

}  // namespace sluice
