// SPDX-License-Identifier: BSD-3-Clause
// Straight lines into the future.
#include "control/daemon/status/forecast.h"

#include "control/daemon/status/rates.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// A load that begins takes much at once and nothing for long: the more is gone, the further we
// look.
constexpr double kFifthGone = 0.2, kFifthHorizonSeconds = 600;
constexpr double kHalfGone = 0.5, kHalfHorizonSeconds = 3600;

std::optional<Forecast> forecast(double left, double whole, double growth) {
  if (growth <= 0 || whole <= 0) return std::nullopt;
  const double seconds = left > 0 ? left / growth : 0;
  const double gone = 1 - left / whole;
  const bool soon = (gone >= kFifthGone && seconds <= kFifthHorizonSeconds) ||
                    (gone >= kHalfGone && seconds <= kHalfHorizonSeconds);
  return Forecast{seconds, soon};
}

}  // namespace

double ports_per_second_wanted(const json& pool) {
  const double wanted = pool.value("taken_recent", 0.0) + pool.value("exhausted_recent", 0.0);
  return wanted / Rates::kRecentSamples;
}

std::optional<double> ports_per_second_borne(const json& pool, const TimeWaitConfig& rules) {
  if (rules.reuse == ReusePolicy::kRebase || rules.backend_seconds == 0) return std::nullopt;
  return pool.value("ports", 0.0) / rules.backend_seconds;
}

std::optional<Forecast> forecast_of_ports(const json& pool) {
  const double ports = pool.value("ports", 0.0);
  return forecast(ports - pool.value("unavailable", 0.0), ports,
                  pool.value("unavailable_trend", 0.0));
}

std::optional<Forecast> forecast_of_flows(const json& worker) {
  const double entries = worker.value("flows_max", 0.0);
  return forecast(entries - worker.value("flows_open", 0.0), entries,
                  worker.value("flows_open_trend", 0.0));
}

}  // namespace sluice::control
