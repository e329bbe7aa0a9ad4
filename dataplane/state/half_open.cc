// SPDX-License-Identifier: BSD-3-Clause
// Lists of flows, and of queues by size.
#include "dataplane/state/half_open.h"

namespace sluice {
namespace {

/// The list that a queue of so many flows is in; an empty queue is in none.
uint32_t size_class(uint64_t count) {
  return static_cast<uint32_t>(std::bit_width(count)) - 1;
}

}  // namespace

void HalfOpen::push(HalfOpenQueue& queue, uint32_t index, bool repeated) {
  using Rank = HalfOpenLinks::Rank;
  HalfOpenLinks& links = flows_[index].half_open;
  links.rank = repeated ? Rank::kRepeated : Rank::kFirst;
  HalfOpenQueue::Fifo& fifo = fifo_of(queue, links.rank);
  links.newer = kNone;
  links.older = fifo.newest;
  if (fifo.newest == kNone) {
    fifo.oldest = index;
  } else {
    flows_[fifo.newest].half_open.newer = index;
  }
  fifo.newest = index;
  resize(queue, queue.count.value() + 1);
  ++count_;
}

void HalfOpen::remove(HalfOpenQueue& queue, uint32_t index) {
  HalfOpenLinks& links = flows_[index].half_open;
  if (links.rank == HalfOpenLinks::Rank::kUnlisted) return;
  HalfOpenQueue::Fifo& fifo = fifo_of(queue, links.rank);
  if (links.older == kNone) {
    fifo.oldest = links.newer;
  } else {
    flows_[links.older].half_open.newer = links.newer;
  }
  if (links.newer == kNone) {
    fifo.newest = links.older;
  } else {
    flows_[links.newer].half_open.older = links.older;
  }
  links.unlink();
  resize(queue, queue.count.value() - 1);
  --count_;
}

void HalfOpen::prefer(HalfOpenQueue& queue, uint32_t index) {
  if (flows_[index].half_open.rank == HalfOpenLinks::Rank::kUnlisted) return;
  remove(queue, index);
  push(queue, index, true);
}

void HalfOpen::resize(HalfOpenQueue& queue, uint64_t count) {
  const uint64_t before = queue.count.value();
  queue.count.set(count);
  if (before != 0 && count != 0 && size_class(before) == size_class(count)) return;
  if (before != 0) leave(queue, size_class(before));
  if (count != 0) enter(queue, size_class(count));
}

void HalfOpen::enter(HalfOpenQueue& queue, uint32_t size) {
  queue.peer_previous = nullptr;
  queue.peer_next = by_size_[size];
  if (queue.peer_next != nullptr) queue.peer_next->peer_previous = &queue;
  by_size_[size] = &queue;
  sizes_ |= uint32_t{1} << size;
}

void HalfOpen::leave(HalfOpenQueue& queue, uint32_t size) {
  if (queue.peer_previous == nullptr) {
    by_size_[size] = queue.peer_next;
  } else {
    queue.peer_previous->peer_next = queue.peer_next;
  }
  if (queue.peer_next != nullptr) queue.peer_next->peer_previous = queue.peer_previous;
  if (by_size_[size] == nullptr) sizes_ &= ~(uint32_t{1} << size);
}

}  // namespace sluice
