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

}  // namespace

template <class Key>
RteHashIndexOf<Key>::RteHashIndexOf(const FlowIndexSetup& setup)
    : FlowIndexOf<Key>(setup), table_(setup.flow_count_max, setup.numa_socket) {
  this->set_lines(this, 1);  // where rte_hash has its buckets is its own affair
}

template <class Key>
void RteHashIndexOf<Key>::look_up(FlowBurstOf<Key>& burst) const {
  // As many keys a call as rte_hash takes: fewer at a time cost more (performance.md).
  constexpr uint32_t kStep = RteHashTable<Key>::kBulkMax;
  uint32_t hashes[FlowBurstOf<Key>::kMax];
  for (uint32_t i = 0; i < burst.count; ++i) hashes[i] = rte_hash_of(burst.hashes[i]);
  for (uint32_t at = 0, end; at < burst.count; at = end) {
    end = std::min(at + kStep, burst.count);
    table_.look_up(burst.keys + at, hashes + at, end - at, burst.candidates + at);
    for (uint32_t i = at; i < end; ++i) fetch_flow(burst.candidates[i]);
  }
}

template <class Key>
uint32_t RteHashIndexOf<Key>::find(const Key& key, uint64_t hash) const {
  return table_.find(key, rte_hash_of(hash));
}

template <class Key>
bool RteHashIndexOf<Key>::insert(const Key& key, uint32_t flow) {
  return table_.insert(key, rte_hash_of(this->hash(key)), flow);
}

template <class Key>
void RteHashIndexOf<Key>::erase(const Key& key, uint32_t flow) {
  const uint32_t hash = rte_hash_of(this->hash(key));
  if (table_.find(key, hash) == flow) table_.erase(key, hash);
}

template class RteHashIndexOf<FlowKey>;
template class RteHashIndexOf<FlowKey6>;

MakeFlowIndex maker_of(FlowIndexKind kind) {
  if (kind == FlowIndexKind::kCompact) return kMakeCompactIndex;
  return {[](const FlowIndexSetup& setup) -> std::unique_ptr<FlowIndex> {
            return std::make_unique<RteHashIndex>(setup);
          },
          [](const FlowIndexSetup& setup) -> std::unique_ptr<FlowIndex6> {
            return std::make_unique<RteHashIndex6>(setup);
          }};
}

size_t flow_index_bytes(FlowIndexKind kind, uint32_t flow_count_max) {
  return kind == FlowIndexKind::kRteHash ? RteHashIndex::bytes(flow_count_max)
                                         : CompactIndex::bytes(flow_count_max);
}

size_t flow_index6_bytes(FlowIndexKind kind, uint32_t flow_count_max) {
  const size_t index = kind == FlowIndexKind::kRteHash ? RteHashIndex6::bytes(flow_count_max)
                                                       : CompactIndex6::bytes(flow_count_max);
  return index + size_t{flow_count_max} * sizeof(net::Ipv6Address);
}

}  // namespace sluice
