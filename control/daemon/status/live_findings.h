// SPDX-License-Identifier: BSD-3-Clause
// What only a running sluice knows, judged: who answers ARP and neighbour discovery, what SYN-ACKs
// say about timestamps, and which ports and entries run out when, at the present rate.
#pragma once

#include <vector>

#include "control/common/finding.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/status/status.h"

namespace sluice::control {

// Asks the workers about their neighbours.
std::vector<Diagnosis> examine_neighbours(const DataplaneManager& dataplane);

// Pure, on a status (status.h).
std::vector<Diagnosis> examine_timestamps(const Status& status);
std::vector<Diagnosis> examine_waits(const Status& status);
std::vector<Diagnosis> examine_capacity(const Status& status, const TimeWaitConfig& rules);

// All of it as rows for the API, with the status's findings first.
nlohmann::json diagnose(const DataplaneManager& dataplane, const Status& status);

}  // namespace sluice::control
