// SPDX-License-Identifier: BSD-3-Clause
// SYNs that were deferred or evicted in a flood, by a hash, so that a client that repeats one is
// known: a real client does so after a second, a spoofed source never does. What comes sooner is a
// copy of the packet, and no attempt of its own.
//
// A set-associative table of fixed size, a cache line a set: sixteen slots of (16 bits of the hash,
// when the SYN was sent last). What is new takes the slot of what is oldest in its set. A hash that
// is another SYN's by accident (one in 2,048 where the whole set is in use) costs that client a
// second at most: it is taken for a copy, or preferred. Times are in steps of 32 ms and wrap after
// 35 minutes; what is older than eight seconds does not count.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/state/flow.h"

namespace sluice {

/// No client sends a SYN again sooner than its RTO, a second at first (RFC 6298, section 2); what
/// is missing to that is for delays on the way. What comes sooner is a copy.
inline constexpr uint32_t kSynRepeatMs = 900;

enum class SynSeen : uint8_t { kFirst, kCopy, kRepeated };

class SynMemory {
 public:
  /// The fourth try of a client comes eight seconds after its third.
  static constexpr uint32_t kLatestMs = 8'000;

  SynMemory(net::Random& random, std::pmr::memory_resource* memory);
  static constexpr size_t bytes() { return kSets * sizeof(Set); }

  /// Remembers a SYN by its client, service and sequence number; not for its copies.
  void note(const FlowName& name, uint32_t sequence, uint32_t sent_ms);
  /// What a SYN is that has no flow.
  SynSeen look_up(const FlowName& name, uint32_t sequence, uint32_t now_ms) const;

 private:
  static constexpr uint32_t kSets = 1u << 14;
  static constexpr uint32_t kSlots = 16;
  static constexpr uint32_t kStepMs = 32;

  struct alignas(64) Set {
    uint16_t tags[kSlots] = {};  // 0: free
    uint16_t sent[kSlots] = {};
  };
  static_assert(sizeof(Set) == 64);

  uint64_t hash(const FlowName& name, uint32_t sequence) const;
  static uint16_t tag_of(uint64_t hash) { return static_cast<uint16_t>(hash >> 48 | 1); }
  static uint16_t steps(uint32_t ms) { return static_cast<uint16_t>(ms / kStepMs); }

  uint64_t secret_[2];
  uint32_t newest_ms_ = 0;  // when a SYN was noted last
  bool is_empty_ = true;    // none was
  std::pmr::vector<Set> sets_;
};

}  // namespace sluice
