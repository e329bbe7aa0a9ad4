// SPDX-License-Identifier: BSD-3-Clause
// A hierarchical timer wheel over dense ids (flow slots): O(1) to set, move, cancel and turn.
//
// Three levels of 256 slots; a tick of level 0 is kTickMs, of each further level 256 ticks of the
// one below, so deadlines up to 74 hours are exact to one tick, later ones are looked at again
// then. An id is in the wheel at most once. Callers set a timer when an entry changes state, not
// for each packet: on expiry they compare the time an entry was last seen, and set it anew where it
// was busy (Varghese and Lauck 1987, scheme 7; the kernel's conntrack is as lazy).
//
// A slot that comes due joins the list of what is due as a whole, whatever its length. Each id in
// that list then costs one unit of advance()'s budget, whether it fires or only moves to a finer
// level: a million timers of one millisecond are as much work a call as a few.
//
// The links lie inside the caller's entries, in a line that expiry needs anyway.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// An entry's place in the wheel; as constructed it is in none.
struct TimerNode {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t next = kNone;  // circular lists through a sentinel per slot
  uint32_t previous = kNone;
  uint32_t tick = 0;  // mod 2^32
};

class TimerWheel {
 public:
  static constexpr uint32_t kTickMs = 16;

  /// The node of id 0, and how many bytes lie between those of neighbouring ids. The nodes outlive
  /// the wheel, at their place.
  TimerWheel(TimerNode* first, size_t stride, uint32_t id_count, uint64_t now_ms);

  /// Sets or moves the timer of `id`; it fires at the first advance() to `deadline_ms` or later.
  /// Deadlines lie less than a year ahead.
  void set(uint32_t id, uint64_t deadline_ms);
  /// Moves a timer up to a deadline that is earlier than its own; one that is not set stays so.
  void hasten(uint32_t id, uint64_t deadline_ms);
  void cancel(uint32_t id);
  bool is_set(uint32_t id) { return node(id).next != kNone; }

  /// Fires `expired(id)` for timers due by `now_ms`, looking at `budget` timers at most (the rest
  /// comes with the next call). A fired timer is not set any more; the callback may set or cancel
  /// any.
  template <typename Expired>
  void advance(uint64_t now_ms, uint32_t budget, Expired&& expired) {
    const auto target = static_cast<uint32_t>(now_ms / kTickMs);
    while (true) {
      for (uint32_t id; (id = first_due()) != kNone;) {
        if (budget-- == 0) return;
        unlink(id);
        if (is_later(node(id).tick, tick_)) {
          place(id);
        } else {
          expired(id);
        }
      }
      if (!is_later(target, tick_)) return;
      step();
    }
  }

 private:
  static constexpr uint32_t kLevels = 3;
  static constexpr uint32_t kSlots = 256;
  static constexpr uint32_t kSentinels = kLevels * kSlots + 1;  // the last one: due now
  static constexpr uint32_t kNone = TimerNode::kNone;

  /// The tick that begins at the deadline or after it.
  static uint32_t tick_at(uint64_t deadline_ms) {
    return static_cast<uint32_t>(deadline_ms / kTickMs + 1);
  }
  static bool is_later(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

  // Ids beyond the entries are the sentinels.
  TimerNode& node(uint32_t id) {
    if (id >= id_count_) return sentinels_[id - id_count_];
    return *reinterpret_cast<TimerNode*>(reinterpret_cast<std::byte*>(first_) + id * stride_);
  }
  uint32_t sentinel(uint32_t level, uint32_t tick) const {
    return id_count_ + level * kSlots + (tick >> (8 * level) & (kSlots - 1));
  }
  uint32_t due_sentinel() const { return id_count_ + kSentinels - 1; }
  uint32_t first_due() {
    const uint32_t first = sentinels_[kSentinels - 1].next;
    if (first == due_sentinel()) return kNone;
    __builtin_prefetch(&node(node(first).next));
    return first;
  }

  void place(uint32_t id);
  void link(uint32_t id, uint32_t sentinel);
  void unlink(uint32_t id);
  void step();
  void make_due(uint32_t sentinel);

  TimerNode* first_;
  size_t stride_;
  uint32_t id_count_;
  uint32_t tick_;  // everything up to it is due or fired
  std::array<TimerNode, kSentinels> sentinels_;
};

}  // namespace sluice
