// SPDX-License-Identifier: BSD-3-Clause
// Handshakes that are not finished, oldest first: who makes way when there are too many.
//
// Each backend of each service has a queue of its own, so a flood on one service takes nothing from
// another. A queue is two lists: clients that have sent their SYN once, and clients that have
// repeated it, as a real one does and a spoofed one does not. Queues are also sorted by size, in
// powers of two, so that the largest is known without a search. All is O(1); the links lie in the
// flows.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "dataplane/state/counter.h"
#include "dataplane/state/flow.h"

namespace sluice {

/// Of one service's backend.
struct HalfOpenQueue {
  static constexpr uint32_t kNone = HalfOpenLinks::kNone;

  struct Fifo {
    uint32_t oldest = kNone;
    uint32_t newest = kNone;
  };

  Fifo first;     // clients that have sent their SYN once
  Fifo repeated;  // clients that have sent it again
  // Written by the owning worker, read by anyone.
  Counter count;     // flows in both lists
  Counter limit;     // how many that may be; 0 until the first SYN
  Counter evicted;   // handshakes that made way
  Counter deferred;  // SYNs that were dropped until their clients repeat them
  // The worker's alone.
  uint32_t limit_of = 0;               // the number of the snapshot that `limit` is of
  uint32_t pressed_ms = 0;             // when one was evicted or deferred last; see `pressed`
  bool pressed = false;                // that was lately, as far as is known
  HalfOpenQueue* peer_next = nullptr;  // queues of about the same size
  HalfOpenQueue* peer_previous = nullptr;
};

/// All queues of a worker.
class HalfOpen {
 public:
  static constexpr uint32_t kNone = HalfOpenLinks::kNone;

  /// `flows` are the entries by index; they outlive it.
  explicit HalfOpen(Flow* flows) : flows_(flows) {}
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;

  /// Puts a flow that is in no list behind all others of its list.
  void push(HalfOpenQueue& queue, uint32_t index, bool repeated);
  /// Takes a flow out; one that is in no list stays as it is.
  void remove(HalfOpenQueue& queue, uint32_t index);
  /// The client of a listed flow has repeated its SYN.
  void prefer(HalfOpenQueue& queue, uint32_t index);

  /// The flow that makes way first, or kNone.
  static uint32_t oldest(const HalfOpenQueue& queue) {
    return queue.first.oldest != kNone ? queue.first.oldest : queue.repeated.oldest;
  }
  /// A queue with at least half as many flows as any other; nullptr when all are empty.
  HalfOpenQueue* largest() const {
    return sizes_ == 0 ? nullptr : by_size_[std::bit_width(sizes_) - 1];
  }
  uint32_t count() const { return count_; }

 private:
  HalfOpenQueue::Fifo& fifo_of(HalfOpenQueue& queue, HalfOpenLinks::Rank rank) {
    return rank == HalfOpenLinks::Rank::kFirst ? queue.first : queue.repeated;
  }
  void resize(HalfOpenQueue& queue, uint64_t count);
  void enter(HalfOpenQueue& queue, uint32_t size);
  void leave(HalfOpenQueue& queue, uint32_t size);

  Flow* flows_;
  uint32_t count_ = 0;
  uint32_t sizes_ = 0;  // a bit for each list of queues that is not empty
  std::array<HalfOpenQueue*, 32> by_size_{};
};

}  // namespace sluice
