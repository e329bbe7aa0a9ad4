// SPDX-License-Identifier: BSD-3-Clause
// From the last packet of the process before to the first of this one.
#pragma once

#include <memory>
#include <vector>

#include "control/daemon/core/identities.h"
#include "control/daemon/core/state_keeper.h"
#include "dataplane/worker/worker.h"

namespace sluice::control {

// Has the workers adopt what was left, and the next hops that were known, then launches them, then
// tells both ends of what did not fit in. Throws std::runtime_error.
void take_over(StateKeeper& state, const Identities& identities,
               const std::vector<std::unique_ptr<Worker>>& workers, uint32_t flows_per_worker,
               const std::vector<KnownNeighbour>& neighbours);

}  // namespace sluice::control
