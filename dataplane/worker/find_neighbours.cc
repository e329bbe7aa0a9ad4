// SPDX-License-Identifier: BSD-3-Clause
// Looks next hops up without asking for them.
#include "dataplane/worker/find_neighbours.h"

#include <algorithm>

namespace sluice {
namespace {

/// The way to a destination. That to a gateway is its route's, whose link alone may know it (RFC
/// 4007: link-local addresses).
template <class Address>
const RouteOf<Address>* route_to(const NetworkOf<Address>& network, const Address& destination) {
  const auto leads_by = [&](const RouteOf<Address>& route) { return route.via == destination; };
  const auto found = std::ranges::find_if(network.routes, leads_by);
  return found == network.routes.end() ? network.find_route(destination) : &*found;
}

template <class Address>
void look_up(const Core& core, const Address& destination, FindNeighbours::Answer& answer) {
  using Neighbours = NeighboursOf<Address>;
  const RouteOf<Address>* route = route_to(core.snapshot->of<Address>(), destination);
  if (route == nullptr) return;
  answer.routed = true;
  const bool is_direct = NeighbourProtocol<Address>::is_none(route->via);
  const Address next_hop = is_direct ? destination : route->via;
  answer.next_hop = next_hop;
  answer.interface = route->interface;
  const Neighbours& neighbours = core.next_hops_of<Address>().neighbours();
  const uint32_t index = neighbours.find(next_hop, route->interface);
  if (index == Neighbours::kNone) return;
  answer.state = neighbours[index].state;
  answer.mac = neighbours[index].mac();
}

}  // namespace

FindNeighbours::FindNeighbours(const std::vector<net::IpAddress>& destinations)
    : answers_(destinations.size()) {
  for (size_t i = 0; i < destinations.size(); ++i) answers_[i].destination = destinations[i];
}

bool FindNeighbours::step(Core& core) {
  constexpr size_t kPerStep = 64;
  const size_t end = std::min(answers_.size(), cursor_ + kPerStep);
  for (; cursor_ < end; ++cursor_) {
    Answer& answer = answers_[cursor_];
    if (answer.destination.is_v4()) {
      look_up(core, answer.destination.v4(), answer);
    } else {
      look_up(core, answer.destination.v6(), answer);
    }
  }
  return cursor_ == answers_.size();
}

}  // namespace sluice
