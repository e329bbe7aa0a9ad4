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

class RteHashIndex final : public FlowIndex {
 public:
  /// Throws std::runtime_error when the memory is not to be had.
  explicit RteHashIndex(const FlowIndexSetup& setup);

  void look_up(FlowBurst& burst) const override;
  uint32_t find(FlowKey key, uint64_t hash) const override;
  bool insert(FlowKey key, uint32_t flow) override;
  void erase(FlowKey key, uint32_t flow) override;

  /// Bytes that it takes for so many flows.
  static size_t bytes(uint32_t flow_count_max) {
    return RteHashTable<FlowKey>::bytes(flow_count_max);
  }

 private:
  RteHashTable<FlowKey> table_;
};

/// What makes an index of this kind.
MakeFlowIndex maker_of(FlowIndexKind kind);
/// Bytes that an index of this kind takes for so many flows.
size_t flow_index_bytes(FlowIndexKind kind, uint32_t flow_count_max);

}  // namespace sluice
