// SPDX-License-Identifier: BSD-3-Clause
// The in-process benches. Each prints one line of JSON a case on standard output.
#pragma once

#include <cstdint>

#include <string>
#include <vector>

#include "dataplane/state/flow_index.h"

namespace sluice::bench {

struct Options {
  uint32_t flows = 1000;
  bool zipf = false;
  bool timestamps = false;
  uint32_t rounds = 5;
  FlowIndexKind flow_index = FlowIndexKind::kRteHash;
  bool both_indices = false;  // in turn, where the case can
  // In turn, of clients and backends, where the case can: "44", "66", "64", "46".
  std::vector<std::string> families = {"44"};
};

inline const char* name_of(FlowIndexKind kind) {
  return kind == FlowIndexKind::kRteHash ? "rte_hash" : "compact";
}

/// Packets of open connections: ticks inbound, outbound, and both in turn as a worker sees them.
void established(const Options& options);
/// The same with timestamps: plain, adjusted and rewritten flows side by side.
void adjusted(const Options& options);
/// Datagrams of UDP flows that stand: ticks, both ways in turn.
void udp(const Options& options);
/// One-shot UDP flows from query to answer.
void udp_one_shot(const Options& options);
/// SYNs turned into flows, and how long their expiry holds the worker.
void new_flows(const Options& options);
/// Whole lives, SYN to both FINs: with ports free, and where each port is held in TIME_WAIT.
void lives(const Options& options, bool reuse);
/// SYNs to nowhere, and a SYN flood on a service whose table is full.
void attack(const Options& options);
/// Packets of open connections without and with a quiet way to the kernel; packets to it and from
/// it.
void kernel(const Options& options);
/// What opening so many flows adds to the process.
void memory(const Options& options);
/// As many workers as there are lcores against one.
void scaling(const Options& options);
/// Look-ups of routes, of neighbours, and hashes of RSS, beside DPDK's libraries for them.
void routes(const Options& options);
void neighbours(const Options& options);
void toeplitz(const Options& options);
/// The longest iteration of a worker without and with reloads of ten thousand backends.
void reload(const Options& options);
/// Packets for callgrind, untimed; prints how many of each kind.
void counted(const Options& options);

}  // namespace sluice::bench
