// SPDX-License-Identifier: BSD-3-Clause
// A packet's way, for a burst at a time: parse, look up, side doors or inbound or outbound, out.
//
//   rx -> parse -+-> flow table --hit--> inbound | outbound --> rewrite --> next hop -> tx
//                |        `--miss--> service -> scheduler -> port pool -> insert --^
//                `-> side doors (ARP, ICMP)
//
// Only here is prefetched: headers of the whole burst while it is parsed, flows once they are
// found.
#pragma once

#include "dataplane/core.h"

namespace sluice {

/// Runs a burst from `interface` (index in the snapshot) to completion. Takes all buffers over. The
/// caller flushes core.tx.
void run_burst(Core& core, uint16_t interface, rte_mbuf** buffers, uint16_t count);

/// What time has made due: flow timers, next hops. Bounded; to be called between bursts.
void run_housekeeping(Core& core);

/// Takes a new snapshot into use (core.snapshot is the old one, or nullptr at the start).
void adopt_snapshot(Core& core, const Snapshot& snapshot);

}  // namespace sluice
