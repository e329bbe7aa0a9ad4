// SPDX-License-Identifier: BSD-3-Clause
// Choosing a local port and taking it back.
#include "dataplane/state/port_pool.h"

#include <numeric>
#include <utility>

#include "dataplane/net/serial.h"

namespace sluice {

PortPool::PortPool(PortRange range, net::Random& random, std::pmr::memory_resource* memory)
    : range_(range), records_(range.size(), memory) {
  std::vector<uint16_t> order(range.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  for (uint32_t i = range.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  for (const uint16_t index : order) push(index, Place::kClean);
}

void PortPool::push(uint16_t index, Place place) {
  Fifo& list = fifo(place);
  Record& r = records_[index];
  r.place = place;
  r.newer = kNone;
  r.older = list.tail;
  (list.tail == kNone ? list.head : records_[list.tail].newer) = index;
  list.tail = index;
  fifo_size(place).add();
}

void PortPool::unlink(uint16_t index) {
  Record& r = records_[index];
  Fifo& list = fifo(r.place);
  (r.older == kNone ? list.head : records_[r.older].newer) = r.newer;
  (r.newer == kNone ? list.tail : records_[r.newer].older) = r.older;
  fifo_size(r.place).subtract();
}

PortPool::Taken PortPool::grant(uint16_t index, Grant grant, net::Shift shift) {
  unlink(index);
  Record& r = records_[index];
  r.place = Place::kInUse;
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
  return {static_cast<uint16_t>(range_.first + index), grant, shift,
          std::exchange(r.flow, kNoFlow)};
}

uint16_t PortPool::natural_candidate(const SynNumbers& syn) const {
  uint16_t index = held_.head;
  for (int i = 0; i < kNaturalTries && index != kNone; ++i, index = records_[index].newer) {
    if (linux_takes(records_[index].legacy, syn)) return index;
  }
  return kNone;
}

std::optional<PortPool::Taken> PortPool::take_unfitted(const SynNumbers& syn,
                                                       const ReuseRules& rules, uint32_t now_ms) {
  if (clean_.head != kNone) {
    const Legacy& oldest = records_[clean_.head].legacy;
    if (oldest.kind == Legacy::Kind::kFresh) return grant(clean_.head, Grant::kFresh, {});
    if (now_ms - oldest.closed_ms >= rules.guard_ms) return grant(clean_.head, Grant::kClean, {});
  }
  if (held_.head == kNone) return {};
  if (now_ms - records_[held_.head].legacy.closed_ms >= rules.time_wait_ms) {
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
      if (all_take(records_[held_.head].legacy, syn)) {
        return grant(held_.head, Grant::kNatural, {});
      }
      break;
  }
  counters_.avoided.add();
  return {};
}

std::optional<PortPool::Taken> PortPool::take_fitted(const SynNumbers& syn, net::Random& random) {
  if (held_.head != kNone) {
    const net::Shift shift = fit(records_[held_.head].legacy, syn, random);
    return grant(held_.head, shift.any() ? Grant::kFitted : Grant::kNatural, shift);
  }
  if (clean_.head != kNone) return grant(clean_.head, Grant::kClean, {});
  return {};
}

void PortPool::give_back(uint16_t port, const Legacy& legacy, uint32_t flow) {
  Record& r = record(port);
  r.legacy = legacy;
  r.flow = flow;
  counters_.in_use.subtract();
  push(static_cast<uint16_t>(port - range_.first),
       legacy.kind == Legacy::Kind::kHeld ? Place::kHeld : Place::kClean);
}

void PortPool::give_back_unanswered(uint16_t port, const Legacy& sent, uint32_t flow) {
  Legacy known = record(port).legacy;
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
  Record& r = record(port);
  if (r.place != Place::kHeld) return;
  r.legacy = heard;
  const auto index = static_cast<uint16_t>(port - range_.first);
  unlink(index);
  push(index, Place::kHeld);
}

void PortPool::forget_flow(uint16_t port, uint32_t flow) {
  Record& r = record(port);
  if (r.flow == flow) r.flow = kNoFlow;
}

}  // namespace sluice
