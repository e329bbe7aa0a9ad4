// SPDX-License-Identifier: BSD-3-Clause
// A small map from 64-bit keys to 32-bit values that is filled once and then only read.
//
// Open addressing with linear probing in a table at most half full: a look-up is a multiplication
// and, nearly always, one cache line. For what a snapshot is asked for each packet.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace sluice {

class FlatMap {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // no value

  FlatMap() : slots_(2) {}

  /// Sets the value of a key; the last one given counts.
  void set(uint64_t key, uint32_t value) {
    Slot* at = &slot(key);
    if (at->value == kNone && 2 * ++count_ > slots_.size()) {
      grow();
      at = &slot(key);
    }
    *at = {key, value};
  }

  uint32_t find(uint64_t key) const { return slot(key).value; }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t value = kNone;
  };

  /// The key's slot, or the empty one where it would be.
  const Slot& slot(uint64_t key) const {
    // Fibonacci hashing: addresses and ports differ in few bits.
    size_t at = (key * 0x9e3779b97f4a7c15) >> shift_;
    while (slots_[at].key != key && slots_[at].value != kNone) at = (at + 1) & mask_;
    return slots_[at];
  }
  Slot& slot(uint64_t key) {
    return const_cast<Slot&>(static_cast<const FlatMap*>(this)->slot(key));
  }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    shift_ = 64 - std::countr_zero(slots_.size());
    mask_ = slots_.size() - 1;
    for (const Slot& s : old) {
      if (s.value != kNone) slot(s.key) = s;
    }
  }

  std::vector<Slot> slots_;  // a power of two
  int shift_ = 63;           // leaves as many bits of a hash as number a slot
  size_t mask_ = 1;
  size_t count_ = 0;
};

}  // namespace sluice
