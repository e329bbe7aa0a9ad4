// SPDX-License-Identifier: BSD-3-Clause
// Choosing a local port and taking it back.
#include "dataplane/state/port_pool.h"

#include <algorithm>
#include <utility>

#include "dataplane/net/serial.h"

namespace sluice {

constinit PortChunk PortPool::kUnused;

PortPool::PortPool(std::shared_ptr<const PortSet> set, net::Random& random, PortChunks& source,
                   const PoolName& name)
    : set_(std::move(set)), source_(source), name_(name), fresh_left_(set_->size()) {
  chunks_.fill(&kUnused);
  counters_.available.set(fresh_left_);
  if (set_->size() > kChunkPorts) {
    // Half a chunk at least comes with the first; where it begins differs, so that of many pools
    // that are used alike not all need the next at once.
    first_ = random.below(set_->size() / kChunkPorts) * kChunkPorts + random.below(kChunkPorts / 2);
  } else if (set_->size() > 0) {
    first_ = random.below(set_->size());
  }
  if (set_->size() > 0) give_memory(first_ / kChunkPorts, source_.make());
  source_.pool_made(chunks_of(set_->size()));
}

PortPool::~PortPool() {
  for (size_t chunk = 0; chunk < kChunksMax; ++chunk) {
    if (has_memory(chunk)) source_.free(chunks_[chunk]);
  }
  source_.pool_freed(chunks_of(set_->size()));
}

void PortPool::take_all_memory() {
  for (size_t chunk = 0; chunk < chunks_of(set_->size()); ++chunk) {
    if (!has_memory(chunk)) give_memory(chunk, source_.make());
  }
}

void PortPool::give_memory(size_t chunk, PortChunk* memory) {
  const auto first = static_cast<uint32_t>(chunk * kChunkPorts);
  const uint32_t count = std::min(kChunkPorts, set_->size() - first);
  for (uint32_t i = 0; i < count; ++i) {
    memory->ports[i] = set_->port_at(static_cast<uint16_t>(first + i));
  }
  memory->pool = name_;
  store_barrier();
  memory->whole = true;
  chunks_[chunk] = memory;
  counters_.chunks.add();
}

bool PortPool::take_memory(size_t chunk) {
  PortChunk* const memory = source_.take();
  if (memory == nullptr) return false;
  give_memory(chunk, memory);
  return true;
}

void PortPool::push(uint16_t index, Place place) {
  Fifo& list = fifo(place);
  PortRecord& r = record(index);
  use_at(index).place = place;
  r.newer = kNone;
  r.older = list.tail;
  (list.tail == kNone ? list.head : record(list.tail).newer) = index;
  list.tail = index;
  fifo_size(place).add();
}

void PortPool::unlink(uint16_t index) {
  PortRecord& r = record(index);
  const Place place = use_at(index).place;
  Fifo& list = fifo(place);
  (r.older == kNone ? list.head : record(r.older).newer) = r.newer;
  (r.newer == kNone ? list.tail : record(r.newer).older) = r.older;
  fifo_size(place).subtract();
}

PortPool::Taken PortPool::use_fresh() {
  const uint16_t index = number_after(used_count());
  --fresh_left_;
  counters_.available.subtract();
  return take(index, PortReuse::kFresh, {});
}

PortPool::Taken PortPool::reuse(uint16_t index, PortReuse reuse, net::SeqAdjust adjust) {
  unlink(index);
  return take(index, reuse, adjust);
}

PortPool::Taken PortPool::take(uint16_t index, PortReuse reuse, net::SeqAdjust adjust) {
  Use& use = use_at(index);
  use.place = Place::kInUse;
  const uint32_t old_flow = use.flow;
  use.flow = kNoFlow;
  counters_.taken.add();
  counters_.in_use.add();
  counters_.peak.raise_to(counters_.in_use.value());
  switch (reuse) {
    case PortReuse::kFresh:
      counters_.fresh.add();
      break;
    case PortReuse::kAvailable:
      counters_.reuse_available.add();
      break;
    case PortReuse::kRested:
      counters_.reuse_rested.add();
      break;
    case PortReuse::kNatural:
      counters_.reuse_natural.add();
      break;
    case PortReuse::kRebased:
      counters_.reuse_rebased.add();
      if (adjust.timestamp != 0) counters_.tsval_adjusts.add();
      if (adjust.sequence != 0) counters_.sequence_adjusts.add();
      break;
  }
  return {set_->port_at(index), reuse, adjust, old_flow};
}

uint16_t PortPool::natural_candidate(const SynNumbers& syn) const {
  uint16_t index = time_wait_.head;
  for (int i = 0; i < kNaturalTries && index != kNone; ++i, index = record(index).newer) {
    if (linux_takes(prior_at(index), syn)) return index;
  }
  return kNone;
}

std::optional<PortPool::Taken> PortPool::take_unadjusted(const SynNumbers& syn,
                                                         const ReuseRules& rules, uint32_t now_ms) {
  if (may_use_fresh()) return use_fresh();
  if (available_.head != kNone &&
      stamp_age_ms(now_ms, record(available_.head).closed_ms) >= rules.guard_ms) {
    return reuse(available_.head, PortReuse::kAvailable, {});
  }
  if (time_wait_.head == kNone) return {};
  if (stamp_age_ms(now_ms, record(time_wait_.head).closed_ms) >= rules.time_wait_ms) {
    return reuse(time_wait_.head, PortReuse::kRested, {});
  }
  switch (rules.policy) {
    case ReusePolicy::kNever:
      break;
    case ReusePolicy::kNatural:
      if (const uint16_t index = natural_candidate(syn); index != kNone) {
        if (index != time_wait_.head) counters_.avoided.add();
        return reuse(index, PortReuse::kNatural, {});
      }
      break;
    case ReusePolicy::kRebase:
      // The head goes as it is only where every stack would take it: no backend's make matters.
      if (all_take(prior_at(time_wait_.head), syn)) {
        return reuse(time_wait_.head, PortReuse::kNatural, {});
      }
      break;
  }
  counters_.avoided.add();
  return {};
}

std::optional<PortPool::Taken> PortPool::take_adjusted(const SynNumbers& syn, net::Random& random) {
  if (time_wait_.head != kNone) {
    const net::SeqAdjust adjust = smallest_adjust(prior_at(time_wait_.head), syn, random);
    return reuse(time_wait_.head, adjust.any() ? PortReuse::kRebased : PortReuse::kNatural, adjust);
  }
  if (may_use_fresh()) return use_fresh();
  if (available_.head != kNone) return reuse(available_.head, PortReuse::kAvailable, {});
  return {};
}

/// A few of those that have rested, at each draw more than it takes.
void PortPool::fill_bag(Place place, uint32_t rest_ms, uint32_t now_ms) {
  constexpr int kPerDraw = 4;
  const Fifo& list = fifo(place);
  for (int i = 0; i < kPerDraw && list.head != kNone; ++i) {
    const uint16_t index = list.head;
    if (stamp_age_ms(now_ms, record(index).closed_ms) < rest_ms) return;
    unlink(index);
    use_at(index).place = Place::kBag;
    counters_.available.add();
    bag(bag_count_++) = index;
  }
}

std::optional<PortPool::Taken> PortPool::take_random(uint32_t guard_ms, uint32_t kept,
                                                     uint32_t now_ms, net::Random& random) {
  fill_bag(Place::kAvailable, guard_ms, now_ms);
  fill_bag(Place::kTimeWait, std::max(guard_ms, kLateAnswerMs), now_ms);
  if (kept != 0 && fresh_left_ + bag_count_ <= std::max(1u, set_->size() / kept)) return {};
  if (may_use_fresh()) {
    last_ = number_after(used_count());
    return use_fresh();
  }
  constexpr int kDraws = 4;
  for (int i = 0; i < kDraws && bag_count_ > 0; ++i) {
    const uint16_t index = draw(random);
    if (!is_touched(index, now_ms)) {
      last_ = index;
      return take(index, PortReuse::kAvailable, {});
    }
    push(index, Place::kTimeWait);
  }
  return {};
}

/// Of a port in the bag, or just out of it.
bool PortPool::is_touched(uint16_t index, uint32_t now_ms) {
  PortUse& use = use_at(index);
  const bool touched = use.touched;
  use.touched = false;
  return touched && stamp_age_ms(now_ms, record(index).closed_ms) < kLateAnswerMs;
}

/// Takes a port out of the bag; the last one that was used only where it is the only one.
uint16_t PortPool::draw(net::Random& random) {
  uint32_t place = random.below(bag_count_);
  if (bag(place) == last_ && bag_count_ > 1) place = (place + 1) % bag_count_;
  const auto index = static_cast<uint16_t>(bag(place));
  bag(place) = bag(--bag_count_);
  counters_.available.subtract();
  return index;
}

void PortPool::touch_udp(uint16_t port, uint32_t now_ms) {
  const uint16_t index = set_->find(port);
  if (index == kNone || !was_used(index)) return;
  Use& use = use_at(index);
  if (use.place == Place::kInUse) return;
  record(index).closed_ms = now_ms;
  if (use.place == Place::kBag) {
    use.touched = true;  // it is told when the port is drawn
    return;
  }
  unlink(index);
  push(index, Place::kTimeWait);
}

void PortPool::give_back_udp(uint16_t port, bool answer_due, uint32_t now_ms) {
  const uint16_t index = set_->find(port);
  record(index).closed_ms = now_ms;
  use_at(index).flow = kNoFlow;
  counters_.in_use.subtract();
  push(index, answer_due ? Place::kTimeWait : Place::kAvailable);
}

void PortPool::give_back(uint16_t port, const PriorIncarnation& prior, uint32_t flow) {
  const uint16_t index = set_->find(port);
  remember(index, prior);
  use_at(index).flow = flow;
  counters_.in_use.subtract();
  store_barrier();
  push(index,
       prior.kind == PriorIncarnation::Kind::kTimeWait ? Place::kTimeWait : Place::kAvailable);
}

void PortPool::give_back_unanswered(uint16_t port, const PriorIncarnation& sent, uint32_t flow) {
  PriorIncarnation known = prior(port);
  if (known.kind == PriorIncarnation::Kind::kTimeWait) {
    known.closed_ms = sent.closed_ms;  // a refused SYN may have started TIME_WAIT anew
    known.rcv_nxt = net::serial_max(known.rcv_nxt, sent.rcv_nxt);
    if (sent.timestamps) known.ts_recent = net::serial_max(known.ts_recent, sent.ts_recent);
    give_back(port, known, flow);
  } else {
    known = sent;
    known.kind = PriorIncarnation::Kind::kAvailable;
    give_back(port, known, flow);
  }
}

void PortPool::touch(uint16_t port, const PriorIncarnation& heard) {
  const uint16_t index = set_->find(port);
  if (use_at(index).place != Place::kTimeWait) return;
  remember(index, heard);
  unlink(index);
  push(index, Place::kTimeWait);
}

void PortPool::forget_flow(uint16_t port, uint32_t flow) {
  Use& bound = use(port);
  if (bound.flow == flow) bound.flow = kNoFlow;
}

}  // namespace sluice
