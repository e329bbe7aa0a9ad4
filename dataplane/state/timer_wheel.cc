// SPDX-License-Identifier: BSD-3-Clause
// The wheel's lists.
#include "dataplane/state/timer_wheel.h"

namespace sluice {

TimerWheel::TimerWheel(TimerNode* first, size_t stride, uint32_t id_count, uint64_t now_ms)
    : first_(first),
      stride_(stride),
      id_count_(id_count),
      tick_(static_cast<uint32_t>(now_ms / kTickMs)) {
  for (uint32_t i = 0; i < kSentinels; ++i) {
    sentinels_[i].next = sentinels_[i].previous = id_count + i;
  }
}

void TimerWheel::set(uint32_t id, uint64_t deadline_ms) {
  cancel(id);
  node(id).tick = tick_at(deadline_ms);
  place(id);
}

void TimerWheel::hasten(uint32_t id, uint64_t deadline_ms) {
  if (is_set(id) && is_later(node(id).tick, tick_at(deadline_ms))) set(id, deadline_ms);
}

void TimerWheel::cancel(uint32_t id) {
  if (is_set(id)) unlink(id);
}

/// Puts an id where its tick belongs as seen from now.
void TimerWheel::place(uint32_t id) {
  const uint32_t tick = node(id).tick;
  if (!is_later(tick, tick_)) return link(id, due_sentinel());
  // Level n serves ticks whose slot on it lies within one turn from now.
  for (uint32_t level = 0; level < kLevels; ++level) {
    const uint32_t turns = (tick >> (8 * level)) - (tick_ >> (8 * level));
    if ((turns & (UINT32_MAX >> (8 * level))) < kSlots) return link(id, sentinel(level, tick));
  }
  // Beyond the last level's turn: looked at again when that turn is nearly over.
  link(id, sentinel(kLevels - 1, tick_ + ((kSlots - 1) << (8 * (kLevels - 1)))));
}

void TimerWheel::link(uint32_t id, uint32_t sentinel) {
  TimerNode& s = node(sentinel);
  TimerNode& n = node(id);
  n.next = sentinel;
  n.previous = s.previous;
  node(s.previous).next = id;
  s.previous = id;
}

void TimerWheel::unlink(uint32_t id) {
  TimerNode& n = node(id);
  node(n.previous).next = n.next;
  node(n.next).previous = n.previous;
  n.next = n.previous = kNone;
}

void TimerWheel::step() {
  ++tick_;
  for (uint32_t level = 1; level < kLevels; ++level) {
    const uint32_t below = (uint32_t{1} << (8 * level)) - 1;
    if ((tick_ & below) != 0) break;
    make_due(sentinel(level, tick_));
  }
  make_due(sentinel(0, tick_));
}

/// Hangs a slot's whole list behind what is due.
void TimerWheel::make_due(uint32_t sentinel) {
  TimerNode& slot = node(sentinel);
  if (slot.next == sentinel) return;
  TimerNode& due = node(due_sentinel());
  node(due.previous).next = slot.next;
  node(slot.next).previous = due.previous;
  node(slot.previous).next = due_sentinel();
  due.previous = slot.previous;
  slot.next = slot.previous = sentinel;
}

}  // namespace sluice
