// SPDX-License-Identifier: BSD-3-Clause
// What a worker looks after a little in each turn, so that no turn takes long: flows whose idle limit
// a reload has lowered, and the age of what ports remember.
#pragma once

#include <cstdint>

#include "dataplane/state/tcp_state.h"

namespace sluice {

struct Core;
struct Snapshot;

/// How far it has come.
struct Upkeep {
  static constexpr uint32_t kDone = UINT32_MAX;

  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;  // as of the snapshot before
  uint32_t next_flow = kDone;  // from here on timers may still stand where old limits set them
  uint64_t aged_ms = 0;        // when ports were aged last
  uint32_t next_pool = 0;      // in the snapshot's list
  uint32_t next_port = 0;      // in the pool's set
};

/// A new snapshot is in force: where it has lowered an idle limit, open flows get to know.
void adopt_timeouts(Core& core, const Snapshot& snapshot);

/// One turn's part of it: a bounded number of flows, and of ports, see stamp.h.
void run_upkeep(Core& core);

}  // namespace sluice
