// SPDX-License-Identifier: BSD-3-Clause
// The index on rte_hash.
#include "dataplane/port/rte_hash_index.h"

#include <algorithm>

#include "dataplane/state/compact_index.h"

namespace sluice {
namespace {

/// rte_hash takes its bucket from the low bits of 32, and what it compares first from the high.
uint32_t rte_hash_of(uint64_t hash) {
  return static_cast<uint32_t>(hash >> 32);
}

/// Keys of one call of rte_hash: as many as it takes. Fewer at a time cost more (performance.md).
constexpr uint32_t kStep = RteHashTable<FlowKey>::kBulkMax;

std::unique_ptr<FlowIndex> make_rte_hash_index(const FlowIndexSetup& setup) {
  return std::make_unique<RteHashIndex>(setup);
}

}  // namespace

RteHashIndex::RteHashIndex(const FlowIndexSetup& setup)
    : FlowIndex(setup), table_(setup.flow_count_max, setup.numa_socket) {
  set_lines(this, 1);  // where rte_hash has its buckets is its own affair
}

void RteHashIndex::look_up(FlowBurst& burst) const {
  uint32_t hashes[FlowBurst::kMax];
  for (uint32_t i = 0; i < burst.count; ++i) hashes[i] = rte_hash_of(burst.hashes[i]);
  for (uint32_t at = 0, end; at < burst.count; at = end) {
    end = std::min(at + kStep, burst.count);
    table_.look_up(burst.keys + at, hashes + at, end - at, burst.candidates + at);
    for (uint32_t i = at; i < end; ++i) fetch_flow(burst.candidates[i]);
  }
}

uint32_t RteHashIndex::find(FlowKey key, uint64_t hash) const {
  return table_.find(key, rte_hash_of(hash));
}

bool RteHashIndex::insert(FlowKey key, uint32_t flow) {
  return table_.insert(key, rte_hash_of(hash(key)), flow);
}

void RteHashIndex::erase(FlowKey key, uint32_t flow) {
  const uint32_t hash = rte_hash_of(this->hash(key));
  if (table_.find(key, hash) == flow) table_.erase(key, hash);
}

MakeFlowIndex maker_of(FlowIndexKind kind) {
  return kind == FlowIndexKind::kRteHash ? make_rte_hash_index : make_compact_index;
}

size_t flow_index_bytes(FlowIndexKind kind, uint32_t flow_count_max) {
  return kind == FlowIndexKind::kRteHash ? RteHashIndex::bytes(flow_count_max)
                                         : CompactIndex::bytes(flow_count_max);
}

}  // namespace sluice
