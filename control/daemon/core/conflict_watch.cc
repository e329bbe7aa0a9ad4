// SPDX-License-Identifier: BSD-3-Clause
// Compares two looks at the workers' lists.
#include "control/daemon/core/conflict_watch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "dataplane/worker/list_conflicts.h"

namespace sluice::control {
namespace {

bool is_same(const MacConflict& a, const MacConflict& b) {
  return a.ip == b.ip && a.interface == b.interface && a.claimed == b.claimed;
}

uint64_t events_of(const Worker& worker) {
  const auto count = [&](Event event) {
    return worker.counters().events[static_cast<size_t>(event)].value();
  };
  return count(Event::arp_conflicts) + count(Event::address_conflicts);
}

}  // namespace

std::string sentence_of(const MacConflict& conflict, const std::string& interface) {
  const std::string ip = net::to_string(conflict.ip);
  const std::string times = conflict.count == 1 ? "" : fmt::format(" ({} times)", conflict.count);
  if (conflict.own) {
    return fmt::format("interface {}: {} says that it has {}, which is ours{}", interface,
                       to_string(conflict.claimed), ip, times);
  }
  return fmt::format("interface {}: {} says that it has {}, for which {} answers{}: not believed",
                     interface, to_string(conflict.claimed), ip, to_string(conflict.known), times);
}

void ConflictWatch::look(const DataplaneManager& dataplane) {
  seen_.resize(dataplane.workers().size());
  for (size_t i = 0; i < seen_.size(); ++i) {
    Worker& worker = *dataplane.workers()[i];
    const uint64_t events = events_of(worker);
    if (events == std::exchange(seen_[i].events, events)) continue;
    ListConflicts call;
    if (!worker.run(call)) continue;
    for (MacConflict row : call.rows()) {
      if (row.count == 0) continue;
      const auto before = std::ranges::find_if(
          seen_[i].rows, [&](const MacConflict& other) { return is_same(row, other); });
      if (before != seen_[i].rows.end() && before->count <= row.count) row.count -= before->count;
      if (row.count == 0) continue;
      spdlog::warn("{}", sentence_of(row, dataplane.config().interfaces[row.interface].name));
    }
    seen_[i].rows = call.rows();
  }
}

}  // namespace sluice::control
