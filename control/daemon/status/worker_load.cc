// SPDX-License-Identifier: BSD-3-Clause
// The worker's own counters, and the scheduler's (/proc/self/task/TID/schedstat).
#include "control/daemon/status/worker_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "control/host/host_files.h"

namespace sluice::control {
namespace {

double percent_of(uint64_t part, uint64_t whole) {
  const auto all = static_cast<double>(std::max<uint64_t>(1, whole));
  return std::min(100.0, 100.0 * static_cast<double>(part) / all);
}

}  // namespace

void WorkerLoads::sample(const std::vector<std::unique_ptr<Worker>>& workers) {
  seen_.resize(workers.size());
  loads_.resize(workers.size());
  for (size_t i = 0; i < workers.size(); ++i) {
    const WorkerCounters& counters = workers[i]->counters();
    // Read one after the other: the share may come out above 100.
    Seen now{counters.ticks.value(), counters.busy_ticks.value(), 0, 0};
    const std::string file = fmt::format("/proc/self/task/{}/schedstat", workers[i]->thread());
    std::sscanf(first_line(file).c_str(), "%lu %lu", &now.ran_ns, &now.waited_ns);
    const Seen before = std::exchange(seen_[i], now);
    const uint64_t waited = now.waited_ns - before.waited_ns;
    loads_[i] = {percent_of(now.busy_ticks - before.busy_ticks, now.ticks - before.ticks),
                 percent_of(waited, now.ran_ns - before.ran_ns + waited)};
  }
}

}  // namespace sluice::control
