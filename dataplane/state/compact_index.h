// SPDX-License-Identifier: BSD-3-Clause
// An index of flows whose slots are four bytes.
//
// It is a hash table of buckets, one cache line each: fifteen slots of (8 bits of the hash, 24 bits
// of the flow's number) and a link to a further bucket for the few that run over. Keys are not
// repeated: the flow has its own. So a look-up is one line of the table and one of the flow.
#pragma once

#include <emmintrin.h>

#include <vector>

#include "dataplane/state/flow_index.h"

namespace sluice {

/// What 24 bits can number.
inline constexpr uint32_t kCompactFlowCountMax = (1u << 24) - 1;

template <class Key>
class CompactIndexOf final : public FlowIndexOf<Key> {
 public:
  using FlowIndexOf<Key>::kNone;
  static constexpr uint32_t kFlowCountMax = kCompactFlowCountMax;

  /// For kFlowCountMax flows at most. Throws std::bad_alloc.
  explicit CompactIndexOf(const FlowIndexSetup& setup);

  void look_up(FlowBurstOf<Key>& burst) const override;
  uint32_t find(const Key& key, uint64_t hash) const override;
  bool insert(const Key& key, uint32_t flow) override;
  void erase(const Key& key, uint32_t flow) override;

  /// Bytes that it takes for so many flows.
  static size_t bytes(uint32_t flow_count_max);

 private:
  using FlowIndexOf<Key>::fetch_flow;
  using FlowIndexOf<Key>::line_of;

  static constexpr uint32_t kSlots = 15;
  static constexpr uint32_t kLoad = 11;  // flows a bucket, on average, when the table is full

  struct alignas(64) Bucket {
    uint32_t slots[kSlots] = {};  // 0: free
    uint32_t next = kNone;
  };
  static_assert(sizeof(Bucket) == 64);

  static constexpr uint32_t home_count_for(uint32_t flow_count_max) {
    return flow_count_max / kLoad + 1;
  }
  // With fifteen slots and eleven flows on average one bucket in eleven runs over.
  static constexpr uint32_t spill_count_for(uint32_t flow_count_max) {
    return home_count_for(flow_count_max) / 9 + 16;
  }
  /// The high byte of a slot; never zero.
  static uint32_t tag_of(uint64_t hash) {
    const auto tag = static_cast<uint32_t>(hash & 0xff);
    return (tag == 0 ? 1 : tag) << 24;
  }
  /// A bit for each slot that has the tag.
  static uint32_t matches(const Bucket& bucket, uint32_t tag) {
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
    const __m128i high = _mm_set1_epi32(static_cast<int>(0xff000000));
    const auto* fours = reinterpret_cast<const __m128i*>(&bucket);
    const auto same = [&](int i) {
      return _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(fours + i), high), wanted);
    };
    const __m128i bytes =
        _mm_packs_epi16(_mm_packs_epi32(same(0), same(1)), _mm_packs_epi32(same(2), same(3)));
    // The sixteenth is the link.
    return static_cast<uint32_t>(_mm_movemask_epi8(bytes)) & ((1u << kSlots) - 1);
  }
  static uint32_t index_in(uint32_t slot) { return slot & kFlowCountMax; }
  uint32_t candidate(uint64_t hash) const;
  uint32_t* free_slot(uint32_t home);

  uint32_t home_count_;
  std::pmr::vector<Bucket> buckets_;  // homes, then those for what runs over
  uint32_t spill_free_;
};

using CompactIndex = CompactIndexOf<FlowKey>;
using CompactIndex6 = CompactIndexOf<FlowKey6>;
extern template class CompactIndexOf<FlowKey>;
extern template class CompactIndexOf<FlowKey6>;

extern const MakeFlowIndex kMakeCompactIndex;

}  // namespace sluice
