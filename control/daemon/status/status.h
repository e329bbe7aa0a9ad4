// SPDX-License-Identifier: BSD-3-Clause
// One picture of the whole balancer, as rows.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/common/finding.h"
#include "control/common/status_rows.h"

namespace sluice::control {

struct Status {
  uint64_t time_ms = 0;  // Unix
  uint64_t uptime_s = 0;
  ProgramRow program;
  DrainRow drain;
  std::vector<ServiceRow> services;
  std::vector<BackendRow> backends;
  std::vector<PoolSumRow> pools;
  std::vector<WorkerRow> workers;
  std::vector<LinkRow> interfaces;
  std::vector<CounterRow> drops, events;
  std::vector<RefusalRow> refusals;
  TotalsRow totals;
  std::map<std::string, std::deque<double>> history;  // by field of the totals
  std::vector<Finding> findings;                      // worst first
};

// Into `severity` and `findings`; for this version into `verdict` too, which was both of them.
void put_findings(nlohmann::json& status, const std::vector<Finding>& findings);

nlohmann::json json_of(const Status& status);
// What is there of it, as a test or a recorded status has it.
Status status_of(const nlohmann::json& status);

}  // namespace sluice::control
