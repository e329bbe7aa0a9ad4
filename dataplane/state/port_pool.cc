// SPDX-License-Identifier: BSD-3-Clause
// Choosing a local port and taking it back.
#include "dataplane/state/port_pool.h"

#include <numeric>
#include <utility>

#include "dataplane/net/serial.h"

namespace sluice {

PortPool::PortPool(std::shared_ptr<const PortSet> set, net::Random& random,
                   std::pmr::memory_resource* memory)
    : set_(std::move(set)), uses_(set_->size(), memory), records_(set_->size(), memory) {
  std::vector<uint16_t> order(set_->size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  for (uint32_t i = set_->size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const uint16_t index : order) push(index, Place::kAvailable);
}

void PortPool::push(uint16_t index, Place place) {
  Fifo& list = fifo(place);
  Record& r = records_[index];
  uses_[index].place = place;
  r.newer = kNone;
  r.older = list.tail;
  (list.tail == kNone ? list.head : records_[list.tail].newer) = index;
  list.tail = index;
  fifo_size(place).add();
}

void PortPool::unlink(uint16_t index) {
  Record& r = records_[index];
  const Place place = uses_[index].place;
  Fifo& list = fifo(place);
  (r.older == kNone ? list.head : records_[r.older].newer) = r.newer;
  (r.newer == kNone ? list.tail : records_[r.newer].older) = r.older;
  fifo_size(place).subtract();
}

PortPool::Taken PortPool::reuse(uint16_t index, PortReuse reuse, net::SeqAdjust adjust) {
  unlink(index);
  Use& use = uses_[index];
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
      counters_.reuse_clean.add();
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
  for (int i = 0; i < kNaturalTries && index != kNone; ++i, index = records_[index].newer) {
    if (linux_takes(prior_at(index), syn)) return index;
  }
  return kNone;
}

std::optional<PortPool::Taken> PortPool::take_unadjusted(const SynNumbers& syn,
                                                         const ReuseRules& rules, uint32_t now_ms) {
  if (available_.head != kNone) {
    const PriorIncarnation oldest = prior_at(available_.head);
    if (oldest.kind == PriorIncarnation::Kind::kFresh)
      return reuse(available_.head, PortReuse::kFresh, {});
    if (stamp_age_ms(now_ms, oldest.closed_ms) >= rules.guard_ms)
      return reuse(available_.head, PortReuse::kAvailable, {});
  }
  if (time_wait_.head == kNone) return {};
  if (stamp_age_ms(now_ms, records_[time_wait_.head].closed_ms) >= rules.time_wait_ms) {
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
  if (available_.head != kNone) return reuse(available_.head, PortReuse::kAvailable, {});
  return {};
}

void PortPool::give_back(uint16_t port, const PriorIncarnation& prior, uint32_t flow) {
  const uint16_t index = set_->index_of(port);
  remember(index, prior);
  uses_[index].flow = flow;
  counters_.in_use.subtract();
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
  const uint16_t index = set_->index_of(port);
  if (uses_[index].place != Place::kTimeWait) return;
  remember(index, heard);
  unlink(index);
  push(index, Place::kTimeWait);
}

void PortPool::forget_flow(uint16_t port, uint32_t flow) {
  Use& bound = use(port);
  if (bound.flow == flow) bound.flow = kNoFlow;
}

}  // namespace sluice
