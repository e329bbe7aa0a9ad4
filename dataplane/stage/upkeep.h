// SPDX-License-Identifier: BSD-3-Clause
// What a worker looks after a little in each iteration, so that none takes long: flows whose idle
// limit a reload has lowered, and the age of what ports remember.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// A new snapshot is in force: where it has lowered an idle limit, open flows get to know.
void adopt_timeouts(Core& core, const Snapshot& snapshot);

/// One iteration's part of it: a bounded number of flows, and of ports, see stamp.h.
void run_upkeep(Core& core);

}  // namespace sluice
