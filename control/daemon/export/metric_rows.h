// SPDX-License-Identifier: BSD-3-Clause
// Metrics made from the rows that `sluicectl show` has.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/daemon/export/metrics.h"

namespace sluice::control {

// What `show` answers: {"pools": [...]} to "pools".
using MetricSource = std::function<nlohmann::json(const char* what)>;

std::vector<prometheus::MetricFamily> collect_metrics(const MetricSource& show);

// Every name that there can be.
std::vector<std::string> metric_names();

}  // namespace sluice::control
