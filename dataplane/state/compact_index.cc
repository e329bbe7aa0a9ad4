// SPDX-License-Identifier: BSD-3-Clause
// Buckets of the compact index.
#include "dataplane/state/compact_index.h"

#include <bit>
#include <utility>

namespace sluice {

template <class Key>
CompactIndexOf<Key>::CompactIndexOf(const FlowIndexSetup& setup)
    : FlowIndexOf<Key>(setup),
      home_count_(home_count_for(setup.flow_count_max)),
      buckets_(home_count_ + spill_count_for(setup.flow_count_max), setup.memory),
      spill_free_(home_count_) {
  this->set_lines(buckets_.data(), home_count_);
  const auto bucket_count = static_cast<uint32_t>(buckets_.size());
  for (uint32_t i = home_count_; i < bucket_count; ++i) {
    buckets_[i].next = i + 1 < bucket_count ? i + 1 : kNone;
  }
}

template <class Key>
size_t CompactIndexOf<Key>::bytes(uint32_t flow_count_max) {
  const size_t buckets = home_count_for(flow_count_max) + spill_count_for(flow_count_max);
  return buckets * sizeof(Bucket);
}

/// The first flow with the same tag. Reads the buckets alone.
template <class Key>
inline uint32_t CompactIndexOf<Key>::candidate(uint64_t hash) const {
  const uint32_t tag = tag_of(hash);
  for (uint32_t at = line_of(hash); at != kNone; at = buckets_[at].next) {
    const Bucket& bucket = buckets_[at];
    if (const uint32_t bits = matches(bucket, tag)) {
      return index_in(bucket.slots[std::countr_zero(bits)]);
    }
  }
  return kNone;
}

template <class Key>
void CompactIndexOf<Key>::look_up(FlowBurstOf<Key>& burst) const {
  for (uint32_t i = 0; i < burst.count; ++i) {
    burst.candidates[i] = candidate(burst.hashes[i]);
    fetch_flow(burst.candidates[i]);
  }
}

template <class Key>
uint32_t CompactIndexOf<Key>::find(const Key& key, uint64_t hash) const {
  const uint32_t tag = tag_of(hash);
  for (uint32_t at = line_of(hash); at != kNone; at = buckets_[at].next) {
    const Bucket& bucket = buckets_[at];
    for (uint32_t bits = matches(bucket, tag); bits != 0; bits &= bits - 1) {
      const uint32_t index = index_in(bucket.slots[std::countr_zero(bits)]);
      if (this->has_key(index, key)) return index;
    }
  }
  return kNone;
}

/// The first free slot of a chain, which gets another bucket when it is full; nullptr when there is
/// none.
template <class Key>
uint32_t* CompactIndexOf<Key>::free_slot(uint32_t home) {
  uint32_t at = home;
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

template <class Key>
bool CompactIndexOf<Key>::insert(const Key& key, uint32_t flow) {
  const uint64_t hash = this->hash(key);
  uint32_t* slot = free_slot(line_of(hash));
  if (slot == nullptr) return false;
  *slot = tag_of(hash) | flow;
  return true;
}

/// Takes a flow out of its chain. The last bucket's entries fill the gap, so that a chain is never
/// longer than its flows need: buckets that ran over once come back.
template <class Key>
void CompactIndexOf<Key>::erase(const Key& key, uint32_t flow) {
  const uint64_t hash = this->hash(key);
  const uint32_t wanted = tag_of(hash) | flow;
  uint32_t* gap = nullptr;
  uint32_t before = kNone, last = line_of(hash);
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

template class CompactIndexOf<FlowKey>;
template class CompactIndexOf<FlowKey6>;

const MakeFlowIndex kMakeCompactIndex = {
    [](const FlowIndexSetup& setup) -> std::unique_ptr<FlowIndex> {
      return std::make_unique<CompactIndex>(setup);
    },
    [](const FlowIndexSetup& setup) -> std::unique_ptr<FlowIndex6> {
      return std::make_unique<CompactIndex6>(setup);
    }};

}  // namespace sluice
