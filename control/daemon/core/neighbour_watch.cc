// SPDX-License-Identifier: BSD-3-Clause
// Compares what the workers know of the same neighbours.
#include "control/daemon/core/neighbour_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dataplane/worker/find_neighbours.h"

namespace sluice::control {
namespace {

bool answers(const FindNeighbours::Answer& answer) {
  return answer.state == Neighbour::State::kReachable || answer.state == Neighbour::State::kProbing;
}

}  // namespace

std::vector<IpAddress> destinations_of(const DataplaneManager& dataplane) {
  std::set<IpAddress> all;
  for (const auto& [key, backend] : dataplane.identities().backends()) {
    if (!backend.removed) all.insert(key.address.ip);
  }
  for (const RouteConfig& route : dataplane.config().routes) all.insert(route.via);
  return {all.begin(), all.end()};
}

void NeighbourWatch::sample(const DataplaneManager& dataplane) {
  cut_off_from_.resize(dataplane.workers().size());
  if (some_drop(dataplane)) {
    ask(dataplane);
  } else if (Clock::now() - asked_ > kRemembered) {
    std::ranges::fill(cut_off_from_, "");
  }
}

bool NeighbourWatch::some_drop(const DataplaneManager& dataplane) {
  dropped_.resize(dataplane.workers().size());
  size_t dropping = 0;
  for (size_t i = 0; i < dropped_.size(); ++i) {
    constexpr auto kReason = static_cast<size_t>(net::DropReason::neighbour_unreachable);
    const uint64_t now = dataplane.workers()[i]->counters().drops[kReason].value();
    dropping += std::exchange(dropped_[i], now) == now ? 0 : 1;
  }
  return dropping > 0 && dropping < dropped_.size();
}

void NeighbourWatch::ask(const DataplaneManager& dataplane) {
  asked_ = Clock::now();
  std::ranges::fill(cut_off_from_, "");
  const auto destinations = destinations_of(dataplane);
  std::vector<std::vector<FindNeighbours::Answer>> told;
  for (const auto& worker : dataplane.workers()) {
    FindNeighbours call(destinations);
    if (!worker->run(call)) return;
    told.push_back(call.answers());
  }
  for (size_t d = 0; d < destinations.size(); ++d) {
    if (std::ranges::none_of(told, [d](const auto& of) { return answers(of[d]); })) continue;
    for (size_t i = 0; i < told.size(); ++i) {
      if (told[i][d].state != Neighbour::State::kUnreachable || !cut_off_from_[i].empty()) continue;
      cut_off_from_[i] = net::to_string(told[i][d].next_hop);
    }
  }
}

}  // namespace sluice::control
