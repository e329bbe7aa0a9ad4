// SPDX-License-Identifier: BSD-3-Clause
// Which sources guards refuse most, by reason, over all workers.
#pragma once

#include <vector>

#include "control/common/status_rows.h"
#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

inline constexpr size_t kRefusalsPerReason = 10;

// For each reason the sources that were refused most, most first, at most `count_max` of them.
std::vector<RefusalRow> refusal_rows(const DataplaneManager& dataplane,
                                     size_t count_max = kRefusalsPerReason);

}  // namespace sluice::control
