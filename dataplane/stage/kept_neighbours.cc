// SPDX-License-Identifier: BSD-3-Clause
// Lists, and learns again.
#include "dataplane/stage/kept_neighbours.h"

namespace sluice {
namespace {

template <class Address>
void list_family(const NeighboursOf<Address>& known, size_t count_max,
                 std::vector<KnownNeighbour>& neighbours) {
  using State = NeighbourKinds::State;
  for (uint32_t i = 0; i < known.capacity() && neighbours.size() < count_max; ++i) {
    const NeighbourOf<Address>& entry = known[i];
    if (entry.state != State::kReachable && entry.state != State::kProbing) continue;
    neighbours.push_back({entry.ip, entry.interface, entry.mac()});
  }
}

template <class Address>
void recall(Core& core, const Address& ip, const KnownNeighbour& neighbour) {
  const NeighbourClaim<Address> claim{ip, neighbour.mac};
  core.next_hops_of<Address>().learn(*core.snapshot, claim, neighbour.interface, true, false,
                                     core.now_ms);
}

}  // namespace

void list_neighbours(const Core& core, size_t count_max, std::vector<KnownNeighbour>& neighbours) {
  list_family(core.next_hops.neighbours(), count_max, neighbours);
  list_family(core.next_hops6.neighbours(), count_max, neighbours);
}

void recall_neighbours(Core& core, std::span<const KnownNeighbour> neighbours) {
  for (const KnownNeighbour& neighbour : neighbours) {
    if (neighbour.interface >= core.snapshot->interfaces.size()) continue;
    if (neighbour.ip.is_v4()) {
      recall(core, neighbour.ip.v4(), neighbour);
    } else {
      recall(core, neighbour.ip.v6(), neighbour);
    }
  }
}

}  // namespace sluice
