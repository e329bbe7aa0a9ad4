// SPDX-License-Identifier: BSD-3-Clause
// All flows of a worker: one array of them, and an index that finds them by their keys.
//
// The way back has no index: a local port names its flow (see PortPool). Nothing is allocated after
// construction. Flows that are closed stay in the table for late segments, in a list by age: the
// oldest of them makes room when a new flow finds no free entry.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/state/compact_index.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/flow_index.h"

namespace sluice {

class FlowTable {
 public:
  static constexpr uint32_t kNone = FlowIndex::kNone;
  static constexpr uint32_t kFlowCountMax = CompactIndex::kFlowCountMax;

  /// `flow_count_max` is kFlowCountMax at most. Throws std::bad_alloc or std::runtime_error.
  FlowTable(uint32_t flow_count_max, net::Random& random, std::pmr::memory_resource* memory,
            MakeFlowIndex make_index = make_compact_index, int numa_socket = -1);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  const FlowIndex& index() const { return *index_; }
  /// The flow with this key, or kNone.
  uint32_t find(FlowKey key, uint64_t hash) const { return index_->find(key, hash); }
  uint32_t find(FlowKey key) const { return find(key, index_->hash(key)); }

  /// A free entry, all zero, or kNone.
  uint32_t allocate();
  /// Makes an allocated flow findable, whose key is set and which no other flow has; false when the
  /// index has no room for it.
  bool publish(uint32_t index) {
    ++published_count_;
    return index_->insert(flows_[index].key, index);
  }
  /// Grows with each flow that is published, mod 2^32: what was not found before it grew may be
  /// there now.
  uint32_t published_count() const { return published_count_; }
  /// Takes a flow's key out, if it was published, and frees its entry. Its timer is not set.
  void erase(uint32_t index);

  Flow& operator[](uint32_t index) { return flows_[index]; }
  const Flow& operator[](uint32_t index) const { return flows_[index]; }
  void prefetch_flow(uint32_t index) const { __builtin_prefetch(&flows_[index]); }

  void push_closed(uint32_t index);
  uint32_t oldest_closed() const { return closed_oldest_; }

  uint32_t flow_count() const { return flow_count_; }
  uint32_t flow_count_max() const { return static_cast<uint32_t>(flows_.size()); }
  /// Bytes that the flows of a table of this size take; its index takes more.
  static size_t bytes(uint32_t flow_count_max) { return size_t{flow_count_max} * sizeof(Flow); }

 private:
  void unlink_closed(uint32_t index);

  std::pmr::vector<Flow> flows_;
  std::unique_ptr<FlowIndex> index_;
  uint32_t flow_free_ = 0;
  uint32_t flow_count_ = 0;
  uint32_t published_count_ = 0;
  uint32_t closed_oldest_ = kNone;
  uint32_t closed_newest_ = kNone;
};

}  // namespace sluice
