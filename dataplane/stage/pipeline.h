// SPDX-License-Identifier: BSD-3-Clause
// A packet's way, for a burst at a time: parse, look up, inbound or outbound (or ARP, ICMP), out.
//
//   rx -> parse -+-> whose? flow ------> inbound | outbound --> rewrite --> next hop -> tx
//                |        `--miss--> service -> scheduler -> port pool -> insert --^
//                `-> ARP, ICMP, the kernel
//
// Only here is prefetched: headers of the whole burst while it is parsed, flows once they are
// found.
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/stage_clocks.h"

namespace sluice {

/// Runs a burst from `interface` (index in the snapshot) to completion. Takes all buffers over. The
/// caller flushes core.tx.
void run_burst(Core& core, uint16_t interface, rte_mbuf** buffers, uint16_t count);

/// The same, and notes how long its stages took.
void run_burst_clocked(Core& core, uint16_t interface, rte_mbuf** buffers, uint16_t count,
                       StageClocks& clocks);

/// The same for packets that another worker received and gave over: they belong here, whatever
/// Steering says. They come from any interface, told by their mbuf.
void run_taken_over(Core& core, rte_mbuf** buffers, uint16_t count);

/// What time has made due: flow timers, next hops. Bounded; to be called between bursts.
void run_housekeeping(Core& core);

/// Takes a new snapshot into use (core.snapshot is the old one, perhaps freed by now, or nullptr at
/// the start). Addresses are announced and routes looked up anew only where they may have changed,
/// or where a link has come up.
void adopt_snapshot(Core& core, const Snapshot& snapshot);

}  // namespace sluice
