// SPDX-License-Identifier: BSD-3-Clause
// Levels of use, with some way back before a level may be reported again.
#include "control/pool_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace sluice::control {
namespace {

constexpr unsigned kHigh = 80;
constexpr unsigned kVeryHigh = 95;
constexpr double kWayBack = 10;

}  // namespace

unsigned PoolWatch::next_level(unsigned level, double percent) {
  const unsigned reached = percent >= kVeryHigh ? kVeryHigh : percent >= kHigh ? kHigh : 0;
  if (reached > level) return reached;
  if (percent < kHigh - kWayBack) return 0;
  if (level == kVeryHigh && percent < kVeryHigh - kWayBack) return kHigh;
  return level;
}

void PoolWatch::look(const Balancer& balancer) {
  for (const auto& [key, pool] : balancer.keeper().pools()) {
    double percent = 0;
    for (const Registry* registry : balancer.keeper().registries()) {
      const uint64_t in_use = registry->pools[pool.id]->ports.counters().in_use.value();
      percent = std::max(percent, 100.0 * static_cast<double>(in_use) / pool.range.size());
    }
    unsigned& level = levels_[key];
    const unsigned next = next_level(level, percent);
    if (next > level) {
      spdlog::warn("pool {} -> {}: {:.0f} % of {} ports are in use; add local addresses",
                   net::to_string(key.local), net::to_string(key.backend), percent,
                   pool.range.size());
    }
    level = next;
  }
  std::erase_if(
      levels_, [&](const auto& entry) { return !balancer.keeper().pools().contains(entry.first); });
}

}  // namespace sluice::control
