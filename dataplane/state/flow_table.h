// SPDX-License-Identifier: BSD-3-Clause
// All flows of a worker: one array of them, and an index that finds them by their keys.
//
// The way back has no index: a local port names its flow (see PortPool). Nothing is allocated after
// construction, but what IPv6 clients need once there is a service for them: an index of their own,
// and an address beside each flow. Flows that are closed stay in the table for late segments, in a
// list by age: the oldest of them makes room when a new flow finds no free entry.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/state/compact_index.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/flow_index.h"
#include "dataplane/state/kept_state.h"

namespace sluice {

class FlowTable {
 public:
  static constexpr uint32_t kNone = FlowIndex::kNone;
  static constexpr uint32_t kFlowCountMax = kCompactFlowCountMax;

  /// `flow_count_max` is kFlowCountMax at most. The flows and the addresses beside them are made in
  /// `kept`. Throws std::bad_alloc or std::runtime_error.
  FlowTable(uint32_t flow_count_max, net::Random& random, std::pmr::memory_resource* memory,
            MakeFlowIndex make_index = kMakeCompactIndex, int numa_socket = -1,
            const KeptMemory& kept = {});
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  /// Control thread, before a snapshot has the first service with an IPv6 VIP. Throws as the
  /// constructor does; a second call does nothing.
  void enable_v6();

  /// That of IPv6 keys where there is one.
  template <class Key = FlowKey>
  const FlowIndexOf<Key>& index() const {
    if constexpr (std::is_same_v<Key, FlowKey>) {
      return *index_;
    } else {
      return *index6_;
    }
  }
  /// The flow with this key, or kNone.
  uint32_t find(FlowKey key, uint64_t hash) const { return index_->find(key, hash); }
  uint32_t find(const FlowKey6& key, uint64_t hash) const { return index6_->find(key, hash); }
  uint32_t find(const FlowName& name) const {
    if (name.is_v4()) return find(name.v4(), index_->hash(name.v4()));
    return index6_ == nullptr ? kNone : find(name.v6(), index6_->hash(name.v6()));
  }
  bool has_key(uint32_t index, const FlowKey& key) const { return flows_[index].key == key; }
  bool has_key(uint32_t index, const FlowKey6& key) const {
    return FlowArray{flows_.data(), clients6_.data()}.has_key(index, key);
  }

  /// Of an allocated flow that is not published yet.
  void set_name(uint32_t index, const FlowName& name);
  FlowName name(const Flow& flow) const { return {client(flow), flow.key.service}; }
  net::Endpoint client(const Flow& flow) const {
    if (!flow.has_v6_client()) [[likely]]
      return flow.key.client;
    return client6(flow);
  }
  net::Ipv6Endpoint client6(const Flow& flow) const {
    return {clients6_[static_cast<size_t>(&flow - flows_.data())], flow.key.client.port};
  }

  /// A free entry, all zero, or kNone. It is no flow before commit().
  uint32_t allocate();
  /// An entry is a whole flow: from now on whoever finds this memory takes it for one.
  void commit(uint32_t index) {
    store_barrier();
    flows_[index].live = true;
    store_barrier();
  }
  /// It is to end, or to become another.
  void retract(uint32_t index) {
    flows_[index].live = false;
    store_barrier();
  }
  /// Makes an allocated flow findable, whose key is set and which no other flow has; false when the
  /// index has no room for it.
  bool publish(uint32_t index) {
    ++published_count_;
    const Flow& flow = flows_[index];
    if (!flow.has_v6_client()) [[likely]]
      return index_->insert(flow.key, index);
    return index6_->insert(key6(flow), index);
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
  /// Bytes that the flows of a table of this size take; its indices take more.
  static size_t bytes(uint32_t flow_count_max) { return size_t{flow_count_max} * sizeof(Flow); }

 private:
  FlowKey6 key6(const Flow& flow) const { return {client6(flow), flow.key.service}; }
  void unlink_closed(uint32_t index);

  std::pmr::memory_resource* memory_;  // of the indices
  std::pmr::vector<Flow> flows_;
  std::pmr::vector<net::Ipv6Address> clients6_;  // by flow, or empty
  MakeFlowIndex make_index_;
  int numa_socket_;
  net::Random random6_;  // for the index of IPv6
  std::unique_ptr<FlowIndex> index_;
  std::unique_ptr<FlowIndex6> index6_;
  uint32_t flow_free_ = 0;
  uint32_t flow_count_ = 0;
  uint32_t published_count_ = 0;
  uint32_t closed_oldest_ = kNone;
  uint32_t closed_newest_ = kNone;
};

}  // namespace sluice
