// SPDX-License-Identifier: BSD-3-Clause
// The flow table over rte_hash.
#include "dataplane/state/flow_table.h"

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>

#include <stdexcept>
#include <string>

namespace sluice {
namespace {

uint32_t hash_key(const void* key, uint32_t /*length*/, uint32_t seed) {
  static_assert(sizeof(FlowKey) % 4 == 0);
  return rte_jhash_32b(static_cast<const uint32_t*>(key), sizeof(FlowKey) / 4, seed);
}

void* to_data(uint32_t index, Direction direction) {
  return reinterpret_cast<void*>(uintptr_t{index} << 1 | static_cast<uintptr_t>(direction));
}

FlowHit from_data(void* data) {
  const auto value = reinterpret_cast<uintptr_t>(data);
  return {static_cast<uint32_t>(value >> 1), static_cast<Direction>(value & 1)};
}

}  // namespace

FlowTable::FlowTable(const char* name, uint32_t flow_count_max, uint32_t hash_seed, int numa_socket,
                     std::pmr::memory_resource* memory)
    : flows_(memory), free_(memory), live_(memory) {
  rte_hash_parameters parameters{};
  parameters.name = name;
  parameters.entries = 2 * flow_count_max + 1;  // one more while a flow moves
  parameters.key_len = sizeof(FlowKey);
  parameters.hash_func = hash_key;
  parameters.hash_func_init_val = hash_seed;
  parameters.socket_id = numa_socket;
  // Chained buckets: every entry can be used, however the keys fall.
  parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
  hash_.reset(rte_hash_create(&parameters));
  if (!hash_) throw std::runtime_error(std::string("flow table: ") + rte_strerror(rte_errno));
  flows_.resize(flow_count_max);
  live_.resize(flow_count_max);
  free_.reserve(flow_count_max);
  for (uint32_t i = flow_count_max; i > 0; --i) free_.push_back(i - 1);
}

FlowTable::~FlowTable() = default;

void FlowTable::HashDeleter::operator()(rte_hash* hash) const {
  rte_hash_free(hash);
}

void FlowTable::lookup(std::span<const FlowKey* const> keys, FlowHit* hits) const {
  static_assert(kBulkMax <= RTE_HASH_LOOKUP_BULK_MAX);
  auto** raw = const_cast<const void**>(reinterpret_cast<const void* const*>(keys.data()));
  uint64_t found = 0;
  void* data[kBulkMax];
  if (!keys.empty()) {
    rte_hash_lookup_bulk_data(hash_.get(), raw, static_cast<uint32_t>(keys.size()), &found, data);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    hits[i] = (found >> i & 1) != 0 ? from_data(data[i]) : FlowHit{kNone, Direction::kInbound};
  }
}

FlowHit FlowTable::lookup(const FlowKey& key) const {
  void* data;
  if (rte_hash_lookup_data(hash_.get(), &key, &data) < 0) return {kNone, Direction::kInbound};
  return from_data(data);
}

uint32_t FlowTable::allocate() {
  if (free_.empty()) return kNone;
  const uint32_t index = free_.back();
  free_.pop_back();
  flows_[index] = Flow{};
  live_[index] = 1;
  ++flow_count_;
  return index;
}

bool FlowTable::publish(uint32_t index) {
  const FlowKey inbound = flows_[index].inbound_key();
  const FlowKey outbound = flows_[index].outbound_key();
  if (rte_hash_add_key_data(hash_.get(), &inbound, to_data(index, Direction::kInbound)) != 0) {
    return false;
  }
  if (rte_hash_add_key_data(hash_.get(), &outbound, to_data(index, Direction::kOutbound)) != 0) {
    remove_key(inbound);
    return false;
  }
  return true;
}

void FlowTable::erase(uint32_t index) {
  remove_key(flows_[index].inbound_key());
  remove_key(flows_[index].outbound_key());
  unlink_over(index);
  live_[index] = 0;
  --flow_count_;
  free_.push_back(index);
}

bool FlowTable::move(uint32_t index, net::Endpoint local) {
  Flow& flow = flows_[index];
  const FlowKey old_key = flow.outbound_key();
  const FlowKey new_key = {flow.backend_address(), local};
  if (rte_hash_add_key_data(hash_.get(), &new_key, to_data(index, Direction::kOutbound)) != 0) {
    return false;
  }
  remove_key(old_key);
  flow.set_translations(flow.client(), flow.vip(), local, flow.backend_address());
  return true;
}

void FlowTable::remove_key(const FlowKey& key) {
  rte_hash_del_key(hash_.get(), &key);
}

void FlowTable::push_over(uint32_t index) {
  flows_[index].over_older = over_newest_;
  flows_[index].over_newer = kNone;
  (over_newest_ == kNone ? over_oldest_ : flows_[over_newest_].over_newer) = index;
  over_newest_ = index;
  flows_[index].over_listed = true;
}

void FlowTable::unlink_over(uint32_t index) {
  Flow& flow = flows_[index];
  if (!flow.over_listed) return;
  (flow.over_older == kNone ? over_oldest_ : flows_[flow.over_older].over_newer) = flow.over_newer;
  (flow.over_newer == kNone ? over_newest_ : flows_[flow.over_newer].over_older) = flow.over_older;
}

}  // namespace sluice
