// SPDX-License-Identifier: BSD-3-Clause
// The wheel's lists.
#include "dataplane/state/timer_wheel.h"

#include <algorithm>

namespace sluice {

TimerWheel::TimerWheel(uint32_t id_count, uint64_t now_ms, std::pmr::memory_resource* memory)
    : id_count_(id_count),
      tick_(now_ms / kTickMs),
      nodes_(size_t{id_count} + kLevels * kSlots + 1, memory) {
  for (uint32_t i = id_count; i < nodes_.size(); ++i) nodes_[i].next = nodes_[i].previous = i;
}

void TimerWheel::set(uint32_t id, uint64_t deadline_ms) {
  cancel(id);
  nodes_[id].tick = deadline_ms / kTickMs + 1;  // the tick that begins at the deadline or after it
  place(id);
}

void TimerWheel::cancel(uint32_t id) {
  if (is_set(id)) unlink(id);
}

/// Puts an id where its tick belongs as seen from now.
void TimerWheel::place(uint32_t id) {
  const uint64_t tick = nodes_[id].tick;
  if (tick <= tick_) return link(id, due_sentinel());
  // Level n serves ticks whose slot on it lies within one turn from now.
  for (uint32_t level = 0; level < kLevels; ++level) {
    if ((tick >> (8 * level)) - (tick_ >> (8 * level)) < kSlots) {
      return link(id, sentinel(level, tick));
    }
  }
  // Beyond the last level's turn: looked at again when that turn is nearly over.
  link(id, sentinel(kLevels - 1, tick_ + (uint64_t{kSlots - 1} << (8 * (kLevels - 1)))));
}

void TimerWheel::link(uint32_t id, uint32_t sentinel) {
  Node& s = nodes_[sentinel];
  nodes_[id].next = sentinel;
  nodes_[id].previous = s.previous;
  nodes_[s.previous].next = id;
  s.previous = id;
}

void TimerWheel::unlink(uint32_t id) {
  Node& n = nodes_[id];
  nodes_[n.previous].next = n.next;
  nodes_[n.next].previous = n.previous;
  n.next = n.previous = kNone;
}

void TimerWheel::step() {
  ++tick_;
  for (uint32_t level = 1; level < kLevels; ++level) {
    const uint64_t below = (uint64_t{1} << (8 * level)) - 1;
    if ((tick_ & below) != 0) break;
    redistribute(sentinel(level, tick_));
  }
  redistribute(sentinel(0, tick_));
}

/// Empties a slot: what is due goes to the due list, the rest to a finer level.
void TimerWheel::redistribute(uint32_t sentinel) {
  uint32_t id = nodes_[sentinel].next;
  nodes_[sentinel].next = nodes_[sentinel].previous = sentinel;
  while (id != sentinel) {
    const uint32_t next = nodes_[id].next;
    place(id);
    id = next;
  }
}

}  // namespace sluice
