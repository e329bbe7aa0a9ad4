// SPDX-License-Identifier: BSD-3-Clause
// Metrics made from the rows that `sluicectl show` has.
#pragma once

#include <string>
#include <vector>

#include "control/daemon/export/metrics.h"
#include "control/daemon/status/status.h"
#include "control/daemon/status/views.h"

namespace sluice::control {

// Counters as they are now; of the status, as of its last sample, how bad things are.
std::vector<prometheus::MetricFamily> collect_metrics(const ShownRows& rows, const Status& status);

// Every name that there can be.
std::vector<std::string> metric_names();

}  // namespace sluice::control
