// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl show` and the metrics see: the running balancer as JSON rows.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "control/balancer.h"

namespace sluice::control {

// What a backend's `state` may be.
inline constexpr const char* kBackendStates[] = {"up", "draining", "down", "unhealthy", "removed"};

nlohmann::json view_services(const Balancer& balancer);
nlohmann::json view_backends(const Balancer& balancer);
nlohmann::json view_pools(const Balancer& balancer);
nlohmann::json view_workers(const Balancer& balancer, const std::vector<double>& busy_percent);
nlohmann::json view_counters(const Balancer& balancer);
// Asks the workers: `row_count_max` flows at most, and how many there are.
nlohmann::json view_flows(const Balancer& balancer, size_t row_count_max);

}  // namespace sluice::control
