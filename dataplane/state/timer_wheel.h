// SPDX-License-Identifier: BSD-3-Clause
// A hierarchical timer wheel over dense ids (flow slots): O(1) to set, move and cancel.
//
// Three levels of 256 slots; a tick of level 0 is kTickMs, of each further level 256 ticks of the
// one below, so deadlines up to 74 hours are exact to one tick, later ones are looked at again
// then. An id is in the wheel at most once. Callers set a timer when an entry changes state, not
// for each packet: on expiry they compare the time an entry was last seen, and set it anew where it
// was busy (Varghese and Lauck 1987, scheme 7; the kernel's conntrack is as lazy).
#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <vector>

namespace sluice {

class TimerWheel {
 public:
  static constexpr uint32_t kTickMs = 16;

  TimerWheel(uint32_t id_count, uint64_t now_ms,
             std::pmr::memory_resource* memory = std::pmr::get_default_resource());

  /// Sets or moves the timer of `id`; it fires at the first advance() to `deadline_ms` or later.
  void set(uint32_t id, uint64_t deadline_ms);
  void cancel(uint32_t id);
  bool is_set(uint32_t id) const { return nodes_[id].next != kNone; }

  /// Fires `expired(id)` for timers due by `now_ms`, at most `budget` of them (what is over fires
  /// at the next call). A fired timer is not set any more; the callback may set or cancel any.
  template <typename Expired>
  void advance(uint64_t now_ms, uint32_t budget, Expired&& expired) {
    const uint64_t target = now_ms / kTickMs;
    while (true) {
      for (uint32_t id; (id = first_due()) != kNone;) {
        if (budget-- == 0) return;
        unlink(id);
        expired(id);
      }
      if (tick_ >= target) return;
      step();
    }
  }

 private:
  static constexpr uint32_t kLevels = 3;
  static constexpr uint32_t kSlots = 256;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Node {
    uint32_t next = kNone;  // circular lists through a sentinel per slot
    uint32_t previous = kNone;
    uint64_t tick = 0;
  };

  // Sentinels stand behind the ids in nodes_; one more for what is due now.
  uint32_t sentinel(uint32_t level, uint64_t tick) const {
    return id_count_ + level * kSlots + static_cast<uint32_t>(tick >> (8 * level) & (kSlots - 1));
  }
  uint32_t due_sentinel() const { return id_count_ + kLevels * kSlots; }
  uint32_t first_due() const {
    const uint32_t first = nodes_[due_sentinel()].next;
    return first == due_sentinel() ? kNone : first;
  }

  void place(uint32_t id);
  void link(uint32_t id, uint32_t sentinel);
  void unlink(uint32_t id);
  void step();
  void redistribute(uint32_t sentinel);

  uint32_t id_count_;
  uint64_t tick_;  // everything up to it is due or fired
  std::pmr::vector<Node> nodes_;
};

}  // namespace sluice
