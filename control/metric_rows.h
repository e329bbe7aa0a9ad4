// SPDX-License-Identifier: BSD-3-Clause
// Metrics made from the rows that `sluicectl show` has.
#pragma once

#include "control/commands.h"
#include "control/metrics.h"

namespace sluice::control {

std::vector<prometheus::MetricFamily> collect_metrics(Commands& commands);

}  // namespace sluice::control
