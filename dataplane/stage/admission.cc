// SPDX-License-Identifier: BSD-3-Clause
// Limits of unfinished handshakes.
#include "dataplane/stage/admission.h"

#include <algorithm>

#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/idle_limit.h"

namespace sluice {

using net::DropReason;

namespace {

// A flood is over when nothing had to be evicted or deferred for so long.
constexpr uint32_t kPressureMs = 2'000;

void note_pressure(const Core& core, HalfOpenQueue& queue) {
  queue.pressed = true;
  queue.pressed_ms = core.now32();
}

/// Once for each snapshot: of the ports that this worker has.
void refresh_limit(const Core& core, HalfOpenQueue& queue, const BackendView& backend) {
  if (queue.limit_of == core.snapshot_count) return;
  uint64_t ports = 0;
  for (const PathId id : backend.paths) ports += core.registry.paths[id].pool->ports.set().size();
  const uint64_t share = ports * core.snapshot->half_open_percent / 100 / backend.sharers;
  queue.limit.set(std::max<uint64_t>(1, share));
  queue.limit_of = core.snapshot_count;
}

uint64_t table_limit(const Core& core, bool pressed) {
  const uint64_t entries = core.flows.flow_count_max();
  const uint64_t limit = std::max<uint64_t>(1, entries * core.snapshot->half_open_percent / 100);
  return pressed ? std::min<uint64_t>(limit, core.syns.slot_count()) : limit;
}

/// When its client sent its SYN last, or a little later.
uint32_t syn_sent_ms(const Flow& flow) {
  return has_repeated(flow) ? flow.last_seen_ms : flow.opened_ms;
}

uint32_t waiting_ms(const Core& core, const Flow& flow) {
  return core.now32() - syn_sent_ms(flow);
}

/// How long a handshake, or a UDP flow, is left alone at least.
uint32_t protected_ms(const Flow& oldest, bool for_repeated) {
  if (oldest.is_udp()) return for_repeated ? kRoundTripMs : kHandshakeMs;
  const bool repeated = has_repeated(oldest);
  if (for_repeated) return repeated ? kHandshakeMs : kRoundTripMs;
  return repeated ? kUsefulMs : kHandshakeMs;
}

bool is_protected(const Core& core, uint32_t index, bool for_repeated) {
  const Flow& flow = core.flows[index];
  return waiting_ms(core, flow) < protected_ms(flow, for_repeated);
}

/// The client's SYN as it was sent.
uint32_t client_sequence(const Flow& flow) {
  return flow.bounds.client_first - 1 - flow.adjust.sequence;
}

}  // namespace

bool is_pressed(const Core& core, HalfOpenQueue& queue) {
  if (queue.pressed && core.now32() - queue.pressed_ms > kPressureMs) queue.pressed = false;
  return queue.pressed;
}

SynSeen look_up_syn(const Core& core, ServiceId service, const Segment& syn) {
  return core.syn_memory.look_up({syn.source(), service}, syn.packet.tcp->sequence.host(),
                                 core.now32());
}

bool make_way(Core& core, HalfOpenQueue& queue, const BackendView& backend, bool repeated) {
  refresh_limit(core, queue, backend);
  const uint64_t limit = queue.limit.value(), in_table = table_limit(core, is_pressed(core, queue));
  bool made = false;
  // Twice each, so that what a flood's first moment brought beyond a limit is taken back.
  for (int i = 0; i < 2 && core.half_open.count() >= in_table; ++i) {
    made |= evict_from_largest(core, queue, repeated);
  }
  for (int i = 0; i < 2 && queue.count.value() >= limit; ++i) {
    made |= evict_oldest(core, queue, repeated);
  }
  const bool fits = queue.count.value() < limit &&
                    (core.half_open.count() < in_table || core.half_open.largest() != &queue);
  return fits || (repeated && made) || !is_pressed(core, queue);
}

bool evict_oldest(Core& core, HalfOpenQueue& queue, bool repeated) {
  const uint32_t index = HalfOpen::oldest(queue);
  if (index == HalfOpen::kNone) return false;
  if (!is_protected(core, index, repeated)) {
    evict(core, index);
    return true;
  }
  const uint32_t answered = queue.repeated.oldest;  // of UDP flows, those with an answer
  if (!core.flows[index].is_udp() || answered == HalfOpen::kNone ||
      is_protected(core, answered, repeated)) {
    return false;
  }
  evict(core, answered);
  return true;
}

bool evict_from_largest(Core& core, const HalfOpenQueue& queue, bool repeated) {
  HalfOpenQueue* const largest = core.half_open.largest();
  return largest != nullptr && evict_oldest(core, *largest, repeated || largest != &queue);
}

bool are_many_half_open(const HalfOpenQueue& queue) {
  return 2 * queue.count.value() >= queue.limit.value();
}

bool is_table_half_open(const Core& core) {
  return 2 * uint64_t{core.half_open.count()} >= table_limit(core, false);
}

bool make_room(Core& core, HalfOpenQueue& queue, bool repeated) {
  if (core.flows.flow_count() < core.flows.flow_count_max()) return true;
  const uint32_t oldest = core.flows.oldest_closed();
  if (oldest == FlowTable::kNone) return evict_from_largest(core, queue, repeated);
  core.count(Event::flows_evicted);
  free_flow(core, oldest);
  return true;
}

SynSeen look_up_datagram(const Core& core, const FlowName& name) {
  return core.syn_memory.look_up(name, 0, core.now32());
}

DropReason defer_datagram(Core& core, HalfOpenQueue& queue, const FlowName& name) {
  note_pressure(core, queue);
  queue.deferred.add();
  core.syn_memory.note(name, 0, core.now32());
  return DropReason::udp_deferred;
}

DropReason defer_syn(Core& core, HalfOpenQueue& queue, ServiceId service, const Segment& syn) {
  note_pressure(core, queue);
  queue.deferred.add();
  core.syn_memory.note({syn.source(), service}, syn.packet.tcp->sequence.host(), core.now32());
  return DropReason::syn_deferred;
}

namespace {

void evict_udp(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  if (flow.state() == FlowState::kUdpUnanswered) {
    HalfOpenQueue& queue = half_open_queue(core, flow);
    note_pressure(core, queue);
    queue.evicted.add();
    core.syn_memory.note(core.flows.name(flow), 0, flow.opened_ms);
  }
  core.count(Event::udp_evicted);
  end_flow(core, index, FlowEnd::evicted);
}

}  // namespace

void prefer_repeated(Core& core, uint32_t index) {
  core.half_open.prefer(half_open_queue(core, core.flows[index]), index);
}

void evict(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  if (flow.is_udp()) return evict_udp(core, index);
  HalfOpenQueue& queue = half_open_queue(core, flow);
  note_pressure(core, queue);
  queue.evicted.add();
  core.count(Event::half_open_evicted);
  core.syn_memory.note(core.flows.name(flow), client_sequence(flow), syn_sent_ms(flow));
  end_flow(core, index, FlowEnd::evicted);
}

}  // namespace sluice
