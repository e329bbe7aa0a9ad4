// SPDX-License-Identifier: BSD-3-Clause
// How a flow begins and ends.
#include "dataplane/stage/lifecycle.h"

#include <algorithm>
#include <utility>

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/admission.h"
#include "dataplane/stage/alter.h"
#include "dataplane/stage/heal.h"
#include "dataplane/stage/mss_clamp.h"
#include "dataplane/stage/resets.h"
#include "dataplane/state/scheduler.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// A backend that keeps a flow in this state has nothing that a RST would have to clear.
bool backend_knows_end(TcpState state) {
  return state >= TcpState::kBackendFirst;
}

/// Room for one more entry; the oldest flow that is over makes way, else a handshake that is not
/// finished.
bool make_room(Core& core, HalfOpenQueue& queue, bool repeated) {
  if (core.flows.flow_count() < core.flows.flow_count_max()) return true;
  const uint32_t oldest = core.flows.oldest_over();
  if (oldest == FlowTable::kNone) return evict_from_largest(core, queue, repeated);
  core.count(Event::flows_evicted);
  erase_flow(core, oldest);
  return true;
}

void give_port_back(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  if (!flow.holds_port) return;
  flow.holds_port = false;
  PortPool& ports = core.pool(flow).ports;
  const uint16_t port = flow.local_port.host();
  const Legacy legacy = legacy_of(core, flow);
  if (flow.tcp.state() == TcpState::kSynSent) {
    ports.give_back_unanswered(port, legacy, index);
  } else {
    ports.give_back(port, legacy, index);
  }
  core.backend(flow).active.subtract();
}

void note_state(Core& core, TcpState before, TcpState now) {
  core.counters.flows_in(before).subtract();
  core.counters.flows_in(now).add();
}

FlowEnd end_of(TcpState before, TcpEvent event) {
  if (event == TcpEvent::kClientRst) return FlowEnd::client_rst;
  if (event == TcpEvent::kBackendRst) {
    return before == TcpState::kSynSent ? FlowEnd::refused : FlowEnd::backend_rst;
  }
  return before == TcpState::kClientFirst ? FlowEnd::client_fin : FlowEnd::backend_fin;
}

void keep_syn(Core& core, Flow& flow, const Segment& syn) {
  const auto* begin = reinterpret_cast<const uint8_t*>(syn.packet.ip);
  const size_t length = syn.packet.ip->header_length() + syn.packet.tcp->header_length();
  flow.syn_slot = core.syns.keep({begin, length}, static_cast<uint32_t>(core.now_us));
  if (flow.syn_slot == SynStore::kNone) core.count(Event::syns_not_kept);
}

/// Of a flow whose handshake is not done.
void release_syn(Core& core, Flow& flow) {
  core.syns.release(std::exchange(flow.syn_slot, SynStore::kNone));
}

}  // namespace

SynNumbers syn_numbers(const net::TcpHeader& syn) {
  SynNumbers numbers{syn.sequence.host(), 0, false};
  if (const uint8_t at = net::find_timestamps(syn)) {
    numbers.tsval = net::tcp_word_at(syn, at).host();
    numbers.timestamps = true;
  }
  return numbers;
}

Legacy legacy_of(const Core& core, const Flow& flow) {
  const bool held = flow.tcp.state() != TcpState::kClean;
  return {core.now32(), flow.tcp.client_end(), flow.last_tsval,
          held ? Legacy::Kind::kHeld : Legacy::Kind::kClean, flow.timestamps};
}

const BackendView* configured_backend(const Core& core, const Flow& flow) {
  const ServiceView* service = core.snapshot->find_service(core.vip(flow));
  if (service == nullptr) return nullptr;
  const auto at = std::ranges::find(service->backends, flow.backend, &BackendView::id);
  return at == service->backends.end() ? nullptr : &*at;
}

bool is_retired(const Core& core, const Flow& flow) {
  if (core.snapshot->draining) return false;
  const BackendView* backend = configured_backend(core, flow);
  return backend == nullptr || backend->weight == 0;
}

std::optional<PortChoice> choose_port(Core& core, const BackendView& backend, bool rewrite,
                                      const SynNumbers& syn, bool known_first) {
  const ReuseRules& rules = core.snapshot->reuse;
  const auto count = static_cast<uint32_t>(backend.pools.size());
  const uint32_t first = core.registry.backends[backend.id]->next_pool++;
  // Asks every local address in turn before the caller asks for less.
  auto ask_all = [&](auto&& take) -> std::optional<PortChoice> {
    for (uint32_t i = 0; i < count; ++i) {
      const PoolId id = backend.pools[(first + i) % count];
      PoolState& pool = *core.registry.pools[id];
      if (auto taken = take(pool.ports, as_sent(core, pool, rewrite, syn))) {
        return PortChoice{id, *taken};
      }
    }
    return {};
  };
  auto fitted = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.take_fitted(sent, core.random);
  };
  auto fitted_known = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.holds_known() ? fitted(ports, sent) : std::nullopt;
  };
  auto unfitted = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.take_unfitted(sent, rules, core.now32());
  };
  const bool may_fit = rules.policy == ReusePolicy::kRebase;
  if (known_first && may_fit) {
    if (auto choice = ask_all(fitted_known)) return choice;
  }
  if (auto choice = ask_all(unfitted)) return choice;
  if (may_fit) {
    if (auto choice = ask_all(fitted)) return choice;
  }
  return {};
}

namespace {

/// A port for a new flow; where there is none, that of an unfinished handshake.
std::optional<PortChoice> port_for_new(Core& core, const BackendView& backend, bool rewrite,
                                       const SynNumbers& syn, bool repeated) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  auto choice = choose_port(core, backend, rewrite, syn, false);
  // Where a port has to rest before it is used again, one that is given back now serves the next try.
  const bool useful = repeated || core.snapshot->reuse.policy == ReusePolicy::kRebase;
  if (choice || !useful || !evict_oldest(core, queue, repeated)) return choice;
  return choose_port(core, backend, rewrite, syn, false);
}

DropReason without_port(Core& core, const BackendView& backend, const ServiceView& service,
                        const Segment& syn) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  if (are_many_half_open(queue)) return defer_syn(core, queue, service.id, syn);
  for (const PoolId id : backend.pools) core.registry.pools[id]->ports.count_exhausted();
  return DropReason::ports_exhausted;
}

}  // namespace

void set_port(Core& core, uint32_t index, const PortChoice& choice) {
  Flow& flow = core.flows[index];
  PoolState& pool = *core.registry.pools[choice.pool];
  flow.pool = choice.pool;
  flow.local_port = net::be16::from_host(choice.taken.port);
  flow.grant = choice.taken.grant;
  flow.deltas = net::make_deltas(core.client(flow), core.vip(flow), core.local(flow), pool.backend);
  pool.ports.bind(choice.taken.port, index);
  pool.flows.add();
}

Verdict open_flow(Core& core, const ServiceView& service, Segment& syn, uint32_t& index) {
  if (core.snapshot->draining) return DropReason::draining;
  const net::Endpoint client = syn.source();
  ServiceState& service_state = *core.registry.services[service.id];
  const BackendView* backend = pick_backend(service, service_state, core.registry, client.ip);
  if (backend == nullptr) return DropReason::no_backend;
  HalfOpenQueue& half_open = core.registry.backends[backend->id]->half_open;
  const bool repeated = was_sent_before(core, service.id, syn);
  if (!make_way(core, half_open, *backend, repeated)) {
    return defer_syn(core, half_open, service.id, syn);
  }
  if (!make_room(core, half_open, repeated)) {
    return is_table_half_open(core) ? defer_syn(core, half_open, service.id, syn)
                                    : DropReason::flow_table_full;
  }
  const SynNumbers numbers = syn_numbers(*syn.packet.tcp);
  const bool rewrite = service.rewrite_timestamps;
  const auto choice = port_for_new(core, *backend, rewrite, numbers, repeated);
  if (!choice) return without_port(core, *backend, service, syn);
  if (choice->taken.old_flow != PortPool::kNoFlow) erase_flow(core, choice->taken.old_flow);

  index = core.flows.allocate();
  Flow& flow = core.flows[index];
  flow.key = {client, service.id};
  flow.backend = backend->id;
  set_port(core, index, *choice);
  set_alteration(core, index, rewrite, numbers, choice->taken.shift);
  flow.timestamps = numbers.timestamps;
  flow.reset_on_timeout = service.reset_on_timeout;
  flow.last_seen_ms = flow.opened_ms = core.now32();
  flow.holds_port = true;
  flow.syns = 1;
  keep_syn(core, flow, syn);
  begin_handshake(core, index, syn);

  BackendState& state = core.backend(flow);
  state.active.add();
  state.flows.add();
  core.counters.flows_in(flow.tcp.state()).add();
  if (!core.flows.publish(index)) {
    erase_flow(core, index);
    return DropReason::flow_table_full;
  }
  state.connections.add();
  service_state.connections.add();
  core.count(Event::flows_opened);
  core.half_open.push(half_open, index, repeated);
  core.flow_timers.set(index, core.now_ms + idle_limit_ms(core, flow));
  return Verdict::pass();
}

void begin_handshake(Core& core, uint32_t index, Segment& syn) {
  Flow& flow = core.flows[index];
  net::TcpHeader& tcp = *syn.packet.tcp;
  if (flow.altered) alter_inbound(core, index, tcp);
  clamp_mss(core, flow, tcp);
  flow.last_tsval = syn_numbers(tcp).tsval;
  const net::TcpOptions options = net::parse_tcp_options(tcp);
  flow.tcp.open(flow.marks, syn.packet, options.window_scale, options.has_window_scale);
}

void restart_flow(Core& core, uint32_t index, const Segment& syn_ack) {
  Flow& flow = core.flows[index];
  const PassedSyn passed = flow.passed;
  const TcpState before = flow.tcp.state();
  core.count(Event::flows_restarted);
  note_end(core, flow, before, FlowEnd::replaced);
  flow.syn_slot = SynStore::kNone;
  flow.answer_due = false;
  flow.heal_attempts = 0;
  flow.syns = 1;
  flow.opened_ms = core.now32();

  const SynNumbers syn{passed.sequence, passed.tsval, passed.timestamps != 0};
  net::Shift shift = flow.shift;
  if (passed.rewritten != 0) shift.timestamp = 0;
  set_alteration(core, index, passed.rewritten != 0, syn, shift);
  flow.timestamps = syn.timestamps;
  const net::TcpHeader& answer = *syn_ack.packet.tcp;
  if (const uint8_t at = net::find_timestamps(answer)) {
    // The SYN's TSval as it went out: whatever the clock says now.
    flow.last_tsval = net::tcp_word_at(answer, static_cast<uint8_t>(at + 4)).host();
    if (flow.rewrite_timestamps) core.clock_map(index).start(syn.tsval, flow.last_tsval);
  }
  // Its window is not kept: the backend sends nothing before the client's next segment tells it.
  net::TcpHeader header{};
  header.sequence = net::be32::from_host(syn.sequence + shift.sequence);
  header.data_offset = sizeof header / 4 << 4;
  header.flags = net::tcp_flag::kSyn;
  header.window = net::be16::from_host(UINT16_MAX);
  net::Packet packet{};
  packet.l4_length = sizeof header;
  packet.tcp = &header;
  flow.tcp.open(flow.marks, packet, static_cast<uint8_t>(passed.window_scale),
                passed.has_window_scale != 0);
  note_state(core, before, flow.tcp.state());
  core.backend(flow).connections.add();
  core.service(flow).connections.add();
  core.count(Event::flows_opened);
}

void enter_state(Core& core, uint32_t index, TcpState before, TcpEvent event) {
  Flow& flow = core.flows[index];
  const TcpState state = flow.tcp.state();
  if (state == before) return;
  note_state(core, before, state);
  core.flow_timers.set(index, core.now_ms + idle_limit_ms(core, flow));
  if (is_opening(before) && !is_opening(state)) {
    core.half_open.remove(core.backend(flow).half_open, index);
    if (!is_over(state)) {
      core.count(Event::flows_established);
      core.next_hops.note_established(flow.to_client, core.now_ms);
    }
    release_syn(core, flow);
    flow.answer_due = false;
    flow.passed = {};
  }
  if (!is_over(state)) return;
  core.count(state == TcpState::kHeld ? Event::flows_closed_held : Event::flows_closed_clean);
  note_end(core, flow, before, end_of(before, event));
  give_port_back(core, index);
  core.flows.push_over(index);
}

void abandon_flow(Core& core, uint32_t index, FlowEnd why) {
  Flow& flow = core.flows[index];
  if (!is_over(flow.tcp.state())) note_end(core, flow, flow.tcp.state(), why);
  if (!backend_knows_end(flow.tcp.state())) {
    reset_backend(core, flow);
    // Answered or not, the backend has now been told; what it held before a SYN that it never
    // answered is the ledger's matter.
    const TcpState before = flow.tcp.state();
    if (is_opening(before)) release_syn(core, flow);
    if (before != TcpState::kSynSent) flow.tcp.advance(TcpEvent::kClientRst);
    note_state(core, before, flow.tcp.state());
  }
  erase_flow(core, index);
}

void hasten_flow(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  const uint32_t timeout = core.snapshot->timeouts_ms[static_cast<size_t>(flow.tcp.state())];
  const uint32_t idle = stamp_age_ms(core.now32(), flow.last_seen_ms);
  core.flow_timers.hasten(index, core.now_ms + (idle < timeout ? timeout - idle : 0));
}

void expire_flow(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  flow.opened_ms = stamp_kept_in_range(core.now32(), flow.opened_ms);
  const TcpState state = flow.tcp.state();
  const uint32_t timeout = idle_limit_ms(core, flow);
  const uint32_t idle = idle_ms(core, flow);
  if (flow.answer_due && state == TcpState::kSynSent) return heal_overdue(core, index);
  if (idle < timeout) {
    core.flow_timers.set(index, core.now_ms + timeout - idle);
    return;
  }
  if (is_over(state)) return erase_flow(core, index);
  if (ends_early(core, flow)) return evict(core, index);
  core.count(Event::flows_timed_out);
  core.backend(flow).timeouts.add();
  if (!flow.reset_on_timeout) {
    note_end(core, flow, state, FlowEnd::timed_out);
    return erase_flow(core, index);
  }
  reset_client(core, flow);
  abandon_flow(core, index, FlowEnd::timed_out);
}

void erase_flow(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  core.flow_timers.cancel(index);
  core.half_open.remove(core.backend(flow).half_open, index);
  give_port_back(core, index);
  if (is_opening(flow.tcp.state())) release_syn(core, flow);
  core.pool(flow).ports.forget_flow(flow.local_port.host(), index);
  core.pool(flow).flows.subtract();
  core.counters.flows_in(flow.tcp.state()).subtract();
  core.backend(flow).flows.subtract();
  core.flows.erase(index);
}

}  // namespace sluice
