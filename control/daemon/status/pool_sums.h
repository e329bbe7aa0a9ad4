// SPDX-License-Identifier: BSD-3-Clause
// Pools summed up for people: one row for each protocol, backend and [[local_pool]], over the
// pool's addresses and all workers, with the fullest of them by name. `show pools` has each one;
// with many backends that is too much to look at.
#pragma once

#include <vector>

#include "control/common/status_rows.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/status/pool_watch.h"

namespace sluice::control {

std::vector<PoolSumRow> pool_sums(const DataplaneManager& dataplane, const PoolWatch& watch);

}  // namespace sluice::control
