// SPDX-License-Identifier: BSD-3-Clause
// Compares the counts of polls of two looks.
#include "control/daemon/core/watchdog.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace sluice::control {

bool Watchdog::all_progress(const std::vector<WorkerProgress>& workers) {
  seen_.resize(workers.size());
  bool all = true;
  for (size_t i = 0; i < workers.size(); ++i) {
    Seen& seen = seen_[i];
    const bool stuck = std::exchange(seen.polls, workers[i].polls) == workers[i].polls;
    if (stuck && !seen.stuck) {
      spdlog::error("worker on lcore {} has stopped polling: its packets are not moved",
                    workers[i].lcore);
    }
    if (!stuck && seen.stuck) spdlog::warn("worker on lcore {} polls again", workers[i].lcore);
    seen.stuck = stuck;
    all = all && !stuck;
  }
  return all;
}

}  // namespace sluice::control
