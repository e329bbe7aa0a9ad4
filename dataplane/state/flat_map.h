// SPDX-License-Identifier: BSD-3-Clause
// A small map from keys of a few words to 32-bit numbers, for what is asked for at each packet or
// each flow.
//
// Open addressing with linear probing in a table at most half full, keys beside their numbers: a
// look-up of an 8-byte key is a multiplication and, nearly always, one cache line. A map that is
// filled within what was reserved allocates nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <type_traits>
#include <vector>

#include "dataplane/net/folded_multiply.h"

namespace sluice {

template <class Key = uint64_t>
class FlatMap {
  static_assert(std::has_unique_object_representations_v<Key>);

 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // no value

  /// Where others choose the keys, `factor` is an odd secret, so that they cannot make keys
  /// collide. There is room for `reserved` keys.
  explicit FlatMap(uint64_t factor = kGolden, size_t reserved = 1,
                   std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : slots_(slot_count(reserved), memory), factor_(factor) {
    measure();
  }

  /// Sets the value of a key; the last one given counts.
  void set(const Key& key, uint32_t value) {
    Slot* at = &slot(key);
    if (at->value == kNone && 2 * ++count_ > slots_.size()) {
      grow();
      at = &slot(key);
    }
    *at = {key, value};
  }

  uint32_t find(const Key& key) const { return slot(key).value; }

  /// Forgets a key that is there.
  void erase(const Key& key) {
    size_t hole = static_cast<size_t>(&slot(key) - slots_.data());
    // Close the gap: what probed past the hole moves back into it.
    for (size_t at = (hole + 1) & mask_; slots_[at].value != kNone; at = (at + 1) & mask_) {
      if (((at - home(slots_[at].key)) & mask_) < ((at - hole) & mask_)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = {};
    --count_;
  }

  /// Bytes that a map takes in which so many keys are reserved.
  static constexpr size_t bytes(size_t reserved) { return slot_count(reserved) * sizeof(Slot); }

 private:
  // Fibonacci hashing: addresses and ports differ in few bits.
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;

  struct Slot {
    Key key{};
    uint32_t value = kNone;
  };

  static constexpr size_t slot_count(size_t keys) {
    return std::bit_ceil(std::max<size_t>(keys, 1) * 2);
  }

  static bool differ(const Key& a, const Key& b) { return std::memcmp(&a, &b, sizeof a) != 0; }

  /// Multiply-shift (Dietzfelbinger et al. 1997); words but the last are folded in before.
  size_t home(const Key& key) const {
    uint64_t hash = 0;
    if constexpr (sizeof(Key) == sizeof hash) {
      hash = std::bit_cast<uint64_t>(key);
    } else {
      for (size_t at = 0; at < sizeof(Key); at += sizeof hash) {
        uint64_t word = 0;
        std::memcpy(&word, reinterpret_cast<const uint8_t*>(&key) + at,
                    std::min(sizeof word, sizeof(Key) - at));
        hash = net::folded_multiply(hash ^ word, factor_);
      }
    }
    return hash * factor_ >> shift_;
  }

  /// The key's slot, or the empty one where it would be.
  const Slot& slot(const Key& key) const {
    size_t at = home(key);
    while (differ(slots_[at].key, key) && slots_[at].value != kNone) at = (at + 1) & mask_;
    return slots_[at];
  }
  Slot& slot(const Key& key) {
    return const_cast<Slot&>(static_cast<const FlatMap*>(this)->slot(key));
  }

  void grow() {
    std::pmr::vector<Slot> old(2 * slots_.size(), slots_.get_allocator());
    old.swap(slots_);
    measure();
    for (const Slot& s : old) {
      if (s.value != kNone) slot(s.key) = s;
    }
  }
  void measure() {
    shift_ = 64 - std::countr_zero(slots_.size());
    mask_ = slots_.size() - 1;
  }

  std::pmr::vector<Slot> slots_;  // a power of two
  int shift_;                     // leaves as many bits of a hash as number a slot
  size_t mask_;
  uint64_t factor_;
  size_t count_ = 0;
};

}  // namespace sluice
