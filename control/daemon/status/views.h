// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl show` and the metrics see: the running balancer as rows, and these as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "control/common/status_rows.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/status/worker_load.h"

namespace sluice::control {

// What a backend's `state` may be.
inline constexpr const char* kBackendStates[] = {"up", "draining", "down", "unhealthy", "removed"};

std::vector<ServiceRow> service_rows(const DataplaneManager& dataplane);
std::vector<BackendRow> backend_rows(const DataplaneManager& dataplane);
std::vector<PoolRow> pool_rows(const DataplaneManager& dataplane);
std::vector<WorkerRow> worker_rows(const DataplaneManager& dataplane,
                                   const std::vector<WorkerLoad>& loads);
std::vector<CounterRow> event_rows(const DataplaneManager& dataplane);
std::vector<CounterRow> drop_rows(const DataplaneManager& dataplane);

// All of `show` that is not asked of the workers.
struct ShownRows {
  ProgramRow program;
  std::vector<ServiceRow> services;
  std::vector<BackendRow> backends;
  std::vector<PoolRow> pools;
  std::vector<WorkerRow> workers;
  std::vector<InterfaceRow> interfaces;
  std::vector<CounterRow> drops, events;
};

// {"services": [row]} and the like.
nlohmann::json view_services(const DataplaneManager& dataplane);
nlohmann::json view_backends(const DataplaneManager& dataplane);
nlohmann::json view_pools(const DataplaneManager& dataplane);
nlohmann::json view_workers(const DataplaneManager& dataplane,
                            const std::vector<WorkerLoad>& loads);
nlohmann::json view_refusals(const DataplaneManager& dataplane);
nlohmann::json view_counters(const DataplaneManager& dataplane);
// Asks the workers, each between two bursts: where packets came from and what became of them.
nlohmann::json view_packet_balance(const DataplaneManager& dataplane);

// Flows from a place on: `next` in the answer is where to go on, null when all have been seen.
struct FlowQuery {
  FlowFilter filter;
  std::optional<ServiceKey> service;  // nothing: any
  size_t rows_max = 0;
  size_t worker = 0;
  uint32_t entry = 0;
};
// What a question says of them. Throws RequestError.
FlowQuery flow_query_of(const nlohmann::json& request, const Config& config, size_t rows_max);
// Asks the workers. However few flows there are to be found, a bounded number of entries is looked
// at.
nlohmann::json view_flows(const DataplaneManager& dataplane, const FlowQuery& query);

}  // namespace sluice::control
