// SPDX-License-Identifier: BSD-3-Clause
// Next hops that are known, by value, for the workers of the next process: so that its first
// packets need not wait for answers to ARP and neighbour discovery.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dataplane/stage/core.h"

namespace sluice {

struct KnownNeighbour {
  net::IpAddress ip;
  uint16_t interface;
  net::MacAddress mac;

  bool operator==(const KnownNeighbour&) const = default;
};

/// Looks at the next `entry_count` entries from `cursor` on, those of both families, and adds what
/// answered for its MAC, up to the capacity of `neighbours`. True when there are no more.
bool list_neighbours(const Core& core, uint32_t& cursor, uint32_t entry_count,
                     std::vector<KnownNeighbour>& neighbours);

/// As if each of them had just asked for one of our addresses. Those that are on no link of ours
/// any more are left out; whether the others are still there is asked as soon as they are used for
/// a while.
void recall_neighbours(Core& core, std::span<const KnownNeighbour> neighbours);

}  // namespace sluice
