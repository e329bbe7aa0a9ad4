// SPDX-License-Identifier: BSD-3-Clause
// All flows of a worker, found by the tuple of either direction.
//
// Flows live in one array allocated at start; an rte_hash maps both keys of a flow to (index,
// direction). The hash is seeded at random, so tuples that collide cannot be made from outside.
// Nothing is allocated after construction. Flows that are over stay in the table for late segments,
// in a list by age: the oldest of them makes room when a new flow finds no free entry.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "dataplane/state/flow.h"

struct rte_hash;

namespace sluice {

enum class Direction : uint8_t { kInbound, kOutbound };

struct FlowHit {
  uint32_t index;
  Direction direction;
};

class FlowTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kBulkMax = 64;

  /// Throws std::runtime_error with DPDK's reason when the memory is not to be had.
  FlowTable(const char* name, uint32_t flow_count_max, uint32_t hash_seed, int numa_socket,
            std::pmr::memory_resource* memory);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;
  ~FlowTable();

  /// Looks up to kBulkMax keys up at once, prefetching; hits[i].index is kNone for a miss.
  void lookup(std::span<const FlowKey* const> keys, FlowHit* hits) const;
  FlowHit lookup(const FlowKey& key) const;

  /// A free entry, all zero, or kNone.
  uint32_t allocate();
  /// Makes an allocated flow, whose translations are set, findable; false when the hash refuses.
  bool publish(uint32_t index);
  /// Takes a flow's keys out and frees its entry.
  void erase(uint32_t index);
  /// Changes a published flow's local side; false, and nothing changed, when the hash refuses.
  bool move(uint32_t index, net::Endpoint local);

  Flow& operator[](uint32_t index) { return flows_[index]; }
  const Flow& operator[](uint32_t index) const { return flows_[index]; }

  void push_over(uint32_t index);
  uint32_t oldest_over() const { return over_oldest_; }

  /// Whether an entry holds a flow, for walks over all of them.
  bool is_live(uint32_t index) const { return live_[index]; }
  uint32_t flow_count() const { return flow_count_; }
  uint32_t flow_count_max() const { return static_cast<uint32_t>(flows_.size()); }

 private:
  void unlink_over(uint32_t index);
  void remove_key(const FlowKey& key);

  struct HashDeleter {
    void operator()(rte_hash* hash) const;
  };
  std::unique_ptr<rte_hash, HashDeleter> hash_;
  std::pmr::vector<Flow> flows_;
  std::pmr::vector<uint32_t> free_;
  std::pmr::vector<uint8_t> live_;
  uint32_t flow_count_ = 0;
  uint32_t over_oldest_ = kNone;
  uint32_t over_newest_ = kNone;
};

}  // namespace sluice
