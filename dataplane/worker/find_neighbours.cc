// SPDX-License-Identifier: BSD-3-Clause
// Looks next hops up without asking for them.
#include "dataplane/worker/find_neighbours.h"

#include <algorithm>

namespace sluice {

FindNeighbours::FindNeighbours(const std::vector<net::IpAddress>& destinations)
    : answers_(destinations.size()) {
  for (size_t i = 0; i < destinations.size(); ++i) answers_[i].destination = destinations[i];
}

bool FindNeighbours::step(Core& core) {
  constexpr size_t kPerStep = 64;
  const Neighbours& neighbours = core.next_hops.neighbours();
  const size_t end = std::min(answers_.size(), cursor_ + kPerStep);
  for (; cursor_ < end; ++cursor_) {
    Answer& answer = answers_[cursor_];
    const net::Ipv4Address destination = answer.destination.v4();
    const Route* route = core.snapshot->v4.find_route(destination);
    if (route == nullptr) continue;
    answer.routed = true;
    const net::Ipv4Address next_hop = route->via.raw == 0 ? destination : route->via;
    answer.next_hop = next_hop;
    answer.interface = route->interface;
    const uint32_t index = neighbours.find(next_hop, route->interface);
    if (index == Neighbours::kNone) continue;
    answer.state = neighbours[index].state;
    answer.mac = neighbours[index].mac();
  }
  return cursor_ == answers_.size();
}

}  // namespace sluice
