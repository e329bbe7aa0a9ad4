// SPDX-License-Identifier: BSD-3-Clause
// Straight lines into the future.
#include "control/daemon/status/forecast.h"

#include "control/daemon/status/bounds.h"
#include "control/daemon/status/rates.h"

namespace sluice::control {
namespace {

std::optional<Forecast> forecast(const Trended& gone, uint64_t whole) {
  const double growth = gone.trend.value_or(0);
  const auto all = static_cast<double>(whole);
  if (growth <= 0 || all <= 0) return std::nullopt;
  const double left = all - static_cast<double>(gone.value);
  const double seconds = left > 0 ? left / growth : 0;
  const double share = 1 - left / all;
  const bool soon = (share >= kFifthGone && seconds <= kFifthHorizonSeconds) ||
                    (share >= kHalfGone && seconds <= kHalfHorizonSeconds);
  return Forecast{seconds, soon};
}

}  // namespace

double ports_per_second_wanted(const PoolSumRow& pool) {
  return static_cast<double>(pool.taken.recent + pool.exhausted.recent) / Rates::kRecentSamples;
}

std::optional<double> ports_per_second_borne(const PoolSumRow& pool, const TimeWaitConfig& rules) {
  if (rules.reuse == ReusePolicy::kRebase || rules.backend_time.count() == 0) return std::nullopt;
  return static_cast<double>(pool.ports) / static_cast<double>(rules.backend_time.count());
}

std::optional<Forecast> forecast_of_ports(const PoolSumRow& pool) {
  return forecast(pool.unavailable, pool.ports);
}

std::optional<Forecast> forecast_of_flows(const WorkerRow& worker) {
  return forecast(worker.flows_open, worker.flows_max);
}

}  // namespace sluice::control
