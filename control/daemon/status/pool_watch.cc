// SPDX-License-Identifier: BSD-3-Clause
// Levels of use, with some way back before a level may be reported again.
#include "control/daemon/status/pool_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/common/clock.h"
#include "control/daemon/status/bounds.h"

namespace sluice::control {
namespace {

constexpr auto kHigh = static_cast<unsigned>(kPortsWarningPercent);
constexpr auto kVeryHigh = static_cast<unsigned>(kPortsCriticalPercent);
constexpr double kWayBack = 10;

}  // namespace

unsigned PoolWatch::next_level(unsigned level, double percent) {
  const unsigned reached = percent >= kVeryHigh ? kVeryHigh : percent >= kHigh ? kHigh : 0;
  if (reached > level) return reached;
  if (percent < kHigh - kWayBack) return 0;
  if (level == kVeryHigh && percent < kVeryHigh - kWayBack) return kHigh;
  return level;
}

// Of the worker whose share is fullest: its clients are the first that are refused.
double PoolWatch::percent_full(Watched& pool, const Identities& identities, const PoolEntry& entry,
                               const TimeWaitConfig& time_wait, uint64_t now_ms) const {
  const auto& registries = identities.registries();
  pool.resting.resize(registries.size());
  pool.unavailable.resize(registries.size());
  double percent = 0;
  for (size_t worker = 0; worker < registries.size(); ++worker) {
    const PortPool& ports = registries[worker]->pools[entry.id]->ports;
    const PortPool::Counters& counters = ports.counters();
    // Looked at under `rebase` too, so that a reload to another policy finds it informed.
    const uint64_t resting =
        pool.resting[worker].look(counters, ms_of(time_wait.backend_time), now_ms);
    const bool waits = waits_for_time_wait(pool.key.protocol, time_wait);
    const uint64_t full = counters.in_use.value() + (waits ? resting : 0);
    pool.unavailable[worker] = full;
    percent =
        std::max(percent, 100.0 * static_cast<double>(full) / std::max(1u, ports.set().size()));
  }
  return percent;
}

uint64_t PoolWatch::unavailable(PoolId pool, size_t worker) const {
  if (pool >= pools_.size() || pools_[pool].looked != looks_) return 0;
  const std::vector<uint64_t>& by_worker = pools_[pool].unavailable;
  return worker < by_worker.size() ? by_worker[worker] : 0;
}

PoolWatch::Watched& PoolWatch::watched(const PoolKey& key, PoolId id) {
  if (id >= pools_.size()) pools_.resize(id + size_t{1});
  Watched& pool = pools_[id];
  if (pool.key != key || pool.looked + 1 != looks_) pool = {.key = key};
  pool.looked = looks_;
  return pool;
}

void PoolWatch::look(const Identities& identities, const TimeWaitConfig& time_wait,
                     uint64_t now_ms) {
  ++looks_;
  for (const auto& [key, entry] : identities.pools()) {
    Watched& pool = watched(key, entry.id);
    const double percent = percent_full(pool, identities, entry, time_wait, now_ms);
    const unsigned next = next_level(pool.level, percent);
    if (next > pool.level) {
      const bool waits = waits_for_time_wait(key.protocol, time_wait);
      spdlog::warn("pool {} -> {}: {:.0f} % of {} ports are in use{}; add local addresses",
                   to_string(key.local), to_string(key.backend), percent, entry.range.size(),
                   waits ? " or rest in TIME_WAIT" : "");
    }
    pool.level = next;
  }
}

}  // namespace sluice::control
