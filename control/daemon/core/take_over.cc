// SPDX-License-Identifier: BSD-3-Clause
// Adopts, launches, resets.
#include "control/daemon/core/take_over.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "dataplane/worker/reset_kept.h"

namespace sluice::control {
namespace {

using Workers = std::vector<std::unique_ptr<Worker>>;

void adopt(const std::vector<KeptSource>& sources, const Workers& workers,
           uint32_t flows_per_worker, const std::vector<KnownNeighbour>& neighbours) {
  for (const auto& worker : workers) {
    Registry& registry = worker->registry();
    for (const KeptSource& source : sources) {
      if (!source.clock_maps.empty()) registry.clock_maps.make(flows_per_worker);
      if (!source.proxy_tracks.empty()) registry.proxy_tracks.make(flows_per_worker);
      if (!source.splices.empty()) registry.splices.make(flows_per_worker);
    }
    worker->adopt(sources, neighbours);
  }
  for (const auto& worker : workers) worker->await_adoption();
}

uint64_t adopted_count(const Workers& workers) {
  uint64_t count = 0;
  for (const auto& worker : workers) {
    count += worker->counters().events[static_cast<size_t>(Event::flows_adopted)].value();
  }
  return count;
}

}  // namespace

void take_over(StateKeeper& state, const Identities& identities, const Workers& workers,
               uint32_t flows_per_worker, const std::vector<KnownNeighbour>& neighbours) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const uint64_t before = adopted_count(workers);  // of processes before, see kept_counters.h
  const std::vector<KeptSource>& sources = state.sources(identities);
  if (!sources.empty() || !neighbours.empty()) {
    adopt(sources, workers, flows_per_worker, neighbours);
  }
  state.adopted();
  for (const auto& worker : workers) worker->launch();
  if (!sources.empty()) {
    const auto took = std::chrono::round<std::chrono::milliseconds>(Clock::now() - began);
    const uint64_t count = adopted_count(workers) - before;
    ResetKept rest(sources);
    workers.front()->run(rest);
    spdlog::info(
        "flows taken over from the process before: {}, in {} ms; reset, as they do not "
        "fit in: {}",
        count, took.count(), rest.reset_count());
  }
  state.forget_left();
}

}  // namespace sluice::control
