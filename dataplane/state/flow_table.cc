// SPDX-License-Identifier: BSD-3-Clause
// Buckets and lists of the flow table.
#include "dataplane/state/flow_table.h"

#include <utility>

namespace sluice {

FlowTable::FlowTable(uint32_t flow_count_max, net::Random& random,
                     std::pmr::memory_resource* memory)
    : home_count_(home_count_for(flow_count_max)),
      buckets_(home_count_ + spill_count_for(flow_count_max), memory),
      spill_free_(home_count_),
      flows_(flow_count_max, memory),
      flow_free_(0) {
  for (uint64_t& word : secret_) word = random.next() | 1;
  const auto bucket_count = static_cast<uint32_t>(buckets_.size());
  for (uint32_t i = home_count_; i < bucket_count; ++i) {
    buckets_[i].next = i + 1 < bucket_count ? i + 1 : kNone;
  }
  for (uint32_t i = 0; i < flow_count_max; ++i) {
    flows_[i].next_free = i + 1 < flow_count_max ? i + 1 : kNone;
  }
}

size_t FlowTable::bytes(uint32_t flow_count_max) {
  const size_t buckets = home_count_for(flow_count_max) + spill_count_for(flow_count_max);
  return buckets * sizeof(Bucket) + size_t{flow_count_max} * sizeof(Flow);
}

uint32_t FlowTable::find(FlowKey key, Hash hash) const {
  for (uint32_t at = hash.home; at != kNone; at = buckets_[at].next) {
    const Bucket& bucket = buckets_[at];
    for (uint32_t bits = matches(bucket, hash.tag); bits != 0; bits &= bits - 1) {
      const uint32_t index = index_in(bucket.slots[std::countr_zero(bits)]);
      if (flows_[index].key == key) return index;
    }
  }
  return kNone;
}

uint32_t FlowTable::allocate() {
  const uint32_t index = flow_free_;
  if (index == kNone) return kNone;
  Flow& flow = flows_[index];
  flow_free_ = flow.next_free;
  flow = Flow{};
  flow.live = true;
  ++flow_count_;
  return index;
}

/// The first free slot of a chain, which gets another bucket when it is full; nullptr when there is
/// none.
uint32_t* FlowTable::free_slot(Hash hash) {
  uint32_t at = hash.home;
  while (true) {
    Bucket& bucket = buckets_[at];
    if (const uint32_t bits = matches(bucket, 0)) return &bucket.slots[std::countr_zero(bits)];
    if (bucket.next == kNone) break;
    at = bucket.next;
  }
  const uint32_t spill = spill_free_;
  if (spill == kNone) return nullptr;
  spill_free_ = buckets_[spill].next;
  buckets_[spill].next = kNone;
  buckets_[at].next = spill;
  return &buckets_[spill].slots[0];
}

bool FlowTable::publish(uint32_t index) {
  const Hash hash = this->hash(flows_[index].key);
  uint32_t* slot = free_slot(hash);
  if (slot == nullptr) return false;
  *slot = hash.tag | index;
  return true;
}

/// Takes a flow out of its chain. The last bucket's entries fill the gap, so that a chain is never
/// longer than its flows need: buckets that ran over once come back.
void FlowTable::withdraw(Hash hash, uint32_t index) {
  const uint32_t wanted = hash.tag | index;
  uint32_t* gap = nullptr;
  uint32_t before = kNone, last = hash.home;
  while (true) {
    for (uint32_t& slot : buckets_[last].slots) {
      if (slot == wanted) gap = &slot;
    }
    if (buckets_[last].next == kNone) break;
    before = last;
    last = buckets_[last].next;
  }
  if (gap == nullptr) return;
  Bucket& tail = buckets_[last];
  const uint32_t used = ~matches(tail, 0) & ((1u << kSlots) - 1);
  std::swap(*gap, tail.slots[std::countr_zero(used)]);
  tail.slots[std::countr_zero(used)] = 0;
  if (before == kNone || !std::has_single_bit(used)) return;
  buckets_[before].next = kNone;
  tail.next = spill_free_;
  spill_free_ = last;
}

void FlowTable::erase(uint32_t index) {
  Flow& flow = flows_[index];
  withdraw(hash(flow.key), index);
  unlink_closed(index);
  flow.key = {};
  flow.live = false;
  flow.next_free = flow_free_;
  flow_free_ = index;
  --flow_count_;
}

void FlowTable::push_closed(uint32_t index) {
  flows_[index].closed_older = closed_newest_;
  flows_[index].closed_newer = kNone;
  (closed_newest_ == kNone ? closed_oldest_ : flows_[closed_newest_].closed_newer) = index;
  closed_newest_ = index;
  flows_[index].closed_listed = true;
}

void FlowTable::unlink_closed(uint32_t index) {
  Flow& flow = flows_[index];
  if (!flow.closed_listed) return;
  (flow.closed_older == kNone ? closed_oldest_ : flows_[flow.closed_older].closed_newer) =
      flow.closed_newer;
  (flow.closed_newer == kNone ? closed_newest_ : flows_[flow.closed_newer].closed_older) =
      flow.closed_older;
}

}  // namespace sluice
