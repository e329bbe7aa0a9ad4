// SPDX-License-Identifier: BSD-3-Clause
// All flows of a worker, found by who the client is and which VIP it talks to.
//
// Flows live in one array; beside it lies a hash table of buckets, one cache line each: fifteen
// slots of (8 bits of the hash, 24 bits of the flow's index) and a link to a further bucket for the
// few that run over. Keys are not repeated: the flow has its own. So a look-up is one line of the
// table and one of the flow, and a caller with a burst of keys fetches first all the lines of the
// one kind, then all of the other:
//
//   prefetch(hash)  ...  candidate(hash): prefetch the flow  ...  find(key, hash)
//
// The way back has no table: a local port names its flow (see PortPool).
//
// The hash is keyed with the system's randomness, so that keys which collide cannot be made from
// outside: two folded multiplications. Nothing is allocated after construction. Flows that are
// closed stay in the table for late segments, in a list by age: the oldest of them makes room when
// a new flow finds no free entry.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/net/folded_multiply.h"
#include "dataplane/net/siphash.h"
#include "dataplane/state/flow.h"

namespace sluice {

class FlowTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kFlowCountMax = (1u << 24) - 1;
  /// Of a key, as the table asks for it.
  struct Hash {
    uint32_t home;  // the bucket where its chain begins
    uint32_t tag;   // the high byte of its slot; never zero
  };

  /// `flow_count_max` is kFlowCountMax at most. Throws std::bad_alloc.
  FlowTable(uint32_t flow_count_max, net::Random& random, std::pmr::memory_resource* memory);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  Hash hash(FlowKey key) const {
    const uint64_t word = key.word();
    const uint64_t once = net::folded_multiply(word ^ secret_[0], secret_[1]);
    const uint64_t twice = net::folded_multiply(once ^ word, secret_[2]);
    const auto tag = static_cast<uint32_t>(twice & 0xff);
    return {static_cast<uint32_t>((twice >> 32) * home_count_ >> 32), (tag == 0 ? 1 : tag) << 24};
  }
  void prefetch(Hash hash) const { __builtin_prefetch(&buckets_[hash.home]); }
  /// The flow that is probably meant, or kNone when surely none is. Reads the table alone.
  uint32_t candidate(Hash hash) const {
    for (uint32_t at = hash.home; at != kNone; at = buckets_[at].next) {
      const Bucket& bucket = buckets_[at];
      if (const uint32_t bits = matches(bucket, hash.tag)) {
        return index_in(bucket.slots[std::countr_zero(bits)]);
      }
    }
    return kNone;
  }
  /// The flow with this key, or kNone.
  uint32_t find(FlowKey key, Hash hash) const;
  uint32_t find(FlowKey key) const { return find(key, hash(key)); }

  /// A free entry, all zero, or kNone.
  uint32_t allocate();
  /// Makes an allocated flow, whose key is set, findable; false when the table has no room for it.
  bool publish(uint32_t index);
  /// Takes a flow's key out, if it was published, and frees its entry. Its timer is not set.
  void erase(uint32_t index);

  Flow& operator[](uint32_t index) { return flows_[index]; }
  const Flow& operator[](uint32_t index) const { return flows_[index]; }
  void prefetch_flow(uint32_t index) const { __builtin_prefetch(&flows_[index]); }

  void push_closed(uint32_t index);
  uint32_t oldest_closed() const { return closed_oldest_; }

  uint32_t flow_count() const { return flow_count_; }
  uint32_t flow_count_max() const { return static_cast<uint32_t>(flows_.size()); }
  /// Bytes that a table of this size takes.
  static size_t bytes(uint32_t flow_count_max);

 private:
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
  uint32_t* free_slot(Hash hash);
  void withdraw(Hash hash, uint32_t index);
  void unlink_closed(uint32_t index);

  uint64_t secret_[3];
  uint32_t home_count_;
  std::pmr::vector<Bucket> buckets_;  // homes, then those for what runs over
  uint32_t spill_free_;
  std::pmr::vector<Flow> flows_;
  uint32_t flow_free_;
  uint32_t flow_count_ = 0;
  uint32_t closed_oldest_ = kNone;
  uint32_t closed_newest_ = kNone;
};

}  // namespace sluice
