// SPDX-License-Identifier: BSD-3-Clause
// Lists, and learns again.
#include "dataplane/stage/kept_neighbours.h"

#include <algorithm>

namespace sluice {
namespace {

template <class Address>
void list_entry(const NeighbourOf<Address>& entry, std::vector<KnownNeighbour>& neighbours) {
  using State = NeighbourKinds::State;
  if (entry.state != State::kReachable && entry.state != State::kProbing) return;
  if (neighbours.size() == neighbours.capacity()) return;
  neighbours.push_back({entry.ip, entry.interface, entry.mac()});
}

template <class Address>
void recall(Core& core, const Address& ip, const KnownNeighbour& neighbour) {
  const NeighbourClaim<Address> claim{ip, neighbour.mac};
  core.next_hops_of<Address>().learn(*core.snapshot, claim, neighbour.interface, true, false,
                                     core.now_ms);
}

}  // namespace

bool list_neighbours(const Core& core, uint32_t& cursor, uint32_t entry_count,
                     std::vector<KnownNeighbour>& neighbours) {
  const auto& v4 = core.next_hops.neighbours();
  const auto& v6 = core.next_hops6.neighbours();
  const uint32_t all = v4.capacity() + v6.capacity();
  const uint32_t end = cursor + std::min(entry_count, all - cursor);
  for (; cursor < end; ++cursor) {
    if (cursor < v4.capacity()) {
      list_entry(v4[cursor], neighbours);
    } else {
      list_entry(v6[cursor - v4.capacity()], neighbours);
    }
  }
  return cursor == all || neighbours.size() == neighbours.capacity();
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
