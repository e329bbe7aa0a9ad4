// SPDX-License-Identifier: BSD-3-Clause
// The index of flows on DPDK's rte_hash, and the choice between it and the compact one.
//
// Keys are repeated beside the buckets, so a burst's look-up fetches for each key two buckets and
// the slot of the key it holds to be right, each for all keys at once, before the flows are. What
// it names is exact: candidates need no second look unless the burst itself has changed something.
#pragma once

#include "dataplane/port/rte_hash_table.h"
#include "dataplane/state/flow_index.h"

namespace sluice {

template <class Key>
class RteHashIndexOf final : public FlowIndexOf<Key> {
 public:
  /// Throws std::runtime_error when the memory is not to be had.
  explicit RteHashIndexOf(const FlowIndexSetup& setup);

  void look_up(FlowBurstOf<Key>& burst) const override;
  uint32_t find(const Key& key, uint64_t hash) const override;
  bool insert(const Key& key, uint32_t flow) override;
  void erase(const Key& key, uint32_t flow) override;

  /// Bytes that it takes for so many flows.
  static size_t bytes(uint32_t flow_count_max) { return RteHashTable<Key>::bytes(flow_count_max); }

 private:
  using FlowIndexOf<Key>::fetch_flow;

  RteHashTable<Key> table_;
};

using RteHashIndex = RteHashIndexOf<FlowKey>;
using RteHashIndex6 = RteHashIndexOf<FlowKey6>;
extern template class RteHashIndexOf<FlowKey>;
extern template class RteHashIndexOf<FlowKey6>;

/// What makes an index of this kind.
MakeFlowIndex maker_of(FlowIndexKind kind);
/// Bytes that an index of this kind takes for so many flows of IPv4 clients; and what IPv6 clients
/// take besides.
size_t flow_index_bytes(FlowIndexKind kind, uint32_t flow_count_max);
size_t flow_index6_bytes(FlowIndexKind kind, uint32_t flow_count_max);

}  // namespace sluice
