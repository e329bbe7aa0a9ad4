// SPDX-License-Identifier: BSD-3-Clause
// What runs out when, if what is to come is like the last minute.
//
// Pure, on rows with their trends (rates.h).
#pragma once

#include <optional>

#include "control/common/status_rows.h"
#include "control/config/config.h"

namespace sluice::control {

struct Forecast {
  double seconds;  // until nothing is left
  bool soon;       // so near, and so much gone already, that somebody should look
};

// Of a local pool's ports towards a backend, by how many cannot be taken (pool_sums.h): those of
// open connections and, under `never` and `natural`, those that rest. Nothing where the ports last.
std::optional<Forecast> forecast_of_ports(const PoolSumRow& pool);
// Of a worker's flow entries, by the flows that are open: those that are over make room.
std::optional<Forecast> forecast_of_flows(const WorkerRow& worker);

// How many ports a second the pool bears for ever, where ports rest; nothing under `rebase`.
std::optional<double> ports_per_second_borne(const PoolSumRow& pool, const TimeWaitConfig& rules);
// How many ports are wanted a second, over the last ten: taken, or asked for in vain.
double ports_per_second_wanted(const PoolSumRow& pool);

}  // namespace sluice::control
