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
  for (const uint16_t index : order) push(index, Place::kClean);
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

PortPool::Taken PortPool::grant(uint16_t index, Grant grant, net::Shift shift) {
  unlink(index);
  Use& use = uses_[index];
  use.place = Place::kInUse;
  const uint32_t old_flow = use.flow;
  use.flow = kNoFlow;
  counters_.taken.add();
  counters_.in_use.add();
  counters_.peak.raise_to(counters_.in_use.value());
  switch (grant) {
    case Grant::kFresh:
      counters_.fresh.add();
      break;
    case Grant::kClean:
      counters_.reuse_clean.add();
      break;
    case Grant::kRested:
      counters_.reuse_rested.add();
      break;
    case Grant::kNatural:
      counters_.reuse_natural.add();
      break;
    case Grant::kFitted:
      counters_.reuse_fitted.add();
      if (shift.timestamp != 0) counters_.tsval_fixes.add();
      if (shift.sequence != 0) counters_.sequence_fixes.add();
      break;
  }
  return {set_->port_at(index), grant, shift, old_flow};
}

uint16_t PortPool::natural_candidate(const SynNumbers& syn) const {
  uint16_t index = held_.head;
  for (int i = 0; i < kNaturalTries && index != kNone; ++i, index = records_[index].newer) {
    if (linux_takes(legacy_at(index), syn)) return index;
  }
  return kNone;
}

std::optional<PortPool::Taken> PortPool::take_unfitted(const SynNumbers& syn,
                                                       const ReuseRules& rules, uint32_t now_ms) {
  if (clean_.head != kNone) {
    const Legacy oldest = legacy_at(clean_.head);
    if (oldest.kind == Legacy::Kind::kFresh) return grant(clean_.head, Grant::kFresh, {});
    if (stamp_age_ms(now_ms, oldest.closed_ms) >= rules.guard_ms)
      return grant(clean_.head, Grant::kClean, {});
  }
  if (held_.head == kNone) return {};
  if (stamp_age_ms(now_ms, records_[held_.head].closed_ms) >= rules.time_wait_ms) {
    return grant(held_.head, Grant::kRested, {});
  }
  switch (rules.policy) {
    case ReusePolicy::kNever:
      break;
    case ReusePolicy::kNatural:
      if (const uint16_t index = natural_candidate(syn); index != kNone) {
        if (index != held_.head) counters_.avoided.add();
        return grant(index, Grant::kNatural, {});
      }
      break;
    case ReusePolicy::kRebase:
      // The head goes as it is only where every stack would take it: no backend's make matters.
      if (all_take(legacy_at(held_.head), syn)) {
        return grant(held_.head, Grant::kNatural, {});
      }
      break;
  }
  counters_.avoided.add();
  return {};
}

std::optional<PortPool::Taken> PortPool::take_fitted(const SynNumbers& syn, net::Random& random) {
  if (held_.head != kNone) {
    const net::Shift shift = fit(legacy_at(held_.head), syn, random);
    return grant(held_.head, shift.any() ? Grant::kFitted : Grant::kNatural, shift);
  }
  if (clean_.head != kNone) return grant(clean_.head, Grant::kClean, {});
  return {};
}

void PortPool::give_back(uint16_t port, const Legacy& legacy, uint32_t flow) {
  const uint16_t index = set_->index_of(port);
  remember(index, legacy);
  uses_[index].flow = flow;
  counters_.in_use.subtract();
  push(index, legacy.kind == Legacy::Kind::kHeld ? Place::kHeld : Place::kClean);
}

void PortPool::give_back_unanswered(uint16_t port, const Legacy& sent, uint32_t flow) {
  Legacy known = legacy(port);
  if (known.kind == Legacy::Kind::kHeld) {
    known.closed_ms = sent.closed_ms;  // a refused SYN may have started TIME_WAIT anew
    known.last_sequence = net::serial_max(known.last_sequence, sent.last_sequence);
    if (sent.timestamps) known.last_tsval = net::serial_max(known.last_tsval, sent.last_tsval);
    give_back(port, known, flow);
  } else {
    known = sent;
    known.kind = Legacy::Kind::kClean;
    give_back(port, known, flow);
  }
}

void PortPool::touch(uint16_t port, const Legacy& heard) {
  const uint16_t index = set_->index_of(port);
  if (uses_[index].place != Place::kHeld) return;
  remember(index, heard);
  unlink(index);
  push(index, Place::kHeld);
}

void PortPool::forget_flow(uint16_t port, uint32_t flow) {
  Use& bound = use(port);
  if (bound.flow == flow) bound.flow = kNoFlow;
}

}  // namespace sluice
