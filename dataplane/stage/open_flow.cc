// SPDX-License-Identifier: BSD-3-Clause
// Opening flows.
#include "dataplane/stage/open_flow.h"

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/admission.h"
#include "dataplane/stage/cookie_state.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/flow_log.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/idle_limit.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/proxy_header.h"
#include "dataplane/stage/seq_adjust.h"
#include "dataplane/stage/toa.h"
#include "dataplane/state/scheduler.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

void keep_syn(Core& core, Flow& flow, const Segment& syn) {
  const net::Packet& packet = syn.packet;
  const auto* network = reinterpret_cast<const uint8_t*>(packet.ip);
  const size_t network_length = packet.is_v6 ? sizeof(net::Ipv6Header) : packet.ip_header_length();
  const auto* tcp = reinterpret_cast<const uint8_t*>(packet.tcp);
  flow.syn_slot = core.syns.keep({network, network_length}, {tcp, packet.tcp->header_length()},
                                 static_cast<uint32_t>(core.now_us));
  if (flow.syn_slot == SynStore::kNone) core.count(Event::syns_not_kept);
}

/// A port for a new flow; where there is none, that of an unfinished handshake.
std::optional<PortChoice> port_for_new(Core& core, const BackendView& backend, bool rewrite,
                                       const SynNumbers& syn, bool repeated) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  auto choice = choose_port(core, backend, rewrite, syn, false);
  // Where a port has to rest before it is used again, one that is given back now serves the next
  // try.
  const bool useful = repeated || core.snapshot->reuse.policy == ReusePolicy::kRebase;
  if (choice || !useful || !evict_oldest(core, queue, repeated)) return choice;
  return choose_port(core, backend, rewrite, syn, false);
}

DropReason without_port(Core& core, const BackendView& backend, const ServiceView& service,
                        const Segment& syn) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  if (are_many_half_open(queue)) return defer_syn(core, queue, service.id, syn);
  for (const PathId id : backend.paths) core.registry.paths[id].pool->ports.count_exhausted();
  return DropReason::ports_exhausted;
}

void plan_extras(Core& core, const ServiceView& service, uint32_t index) {
  if (service.proxy_form != kNoProxyForm) plan_proxy_header(core, index, service.proxy_form);
  if (service.toa) plan_toa(core, index);
}

}  // namespace

Verdict open_flow(Core& core, const ServiceView& service, Segment& syn, uint32_t& index,
                  bool is_real) {
  if (core.snapshot->draining) return DropReason::draining;
  if (const Verdict listed = check_lists(core, service, syn); !listed.passed()) return listed;
  const SynSeen seen = is_real ? SynSeen::kRepeated : look_up_syn(core, service.id, syn);
  if (seen == SynSeen::kCopy) {
    core.count(Event::syns_copied);
    return DropReason::syn_deferred;
  }
  const bool repeated = seen == SynSeen::kRepeated;
  if (const Verdict full = check_limits(core, service, syn); !full.passed()) return full;
  const net::Endpoint client = syn.source();
  ServiceState& service_state = *core.registry.services[service.id];
  const BackendView* backend = pick_backend(service, service_state, core.registry, client.ip);
  if (backend == nullptr) return without_backend(service);
  HalfOpenQueue& half_open = core.registry.backends[backend->id]->half_open;
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
  if (choice->taken.old_flow != PortPool::kNoFlow) free_flow(core, choice->taken.old_flow);

  index = core.flows.allocate();
  Flow& flow = core.flows[index];
  core.flows.set_name(index, {client, service.id});
  set_port(core, index, *choice);
  set_adjust(core, index, rewrite, numbers, choice->taken.adjust);
  if (service.has_extras) [[unlikely]]
    plan_extras(core, service, index);
  flow.timestamps = numbers.timestamps;
  flow.reset_on_timeout = service.reset_on_timeout;
  flow.last_seen_ms = flow.opened_ms = core.now32();
  flow.holds_port = true;
  flow.syns = 1;
  keep_syn(core, flow, syn);
  begin_handshake(core, index, syn);

  if (!enter_flow(core, index, repeated)) return DropReason::flow_table_full;
  return Verdict::pass();
}

bool enter_flow(Core& core, uint32_t index, bool repeated) {
  Flow& flow = core.flows[index];
  BackendState& state = core.backend(flow);
  state.active.add();
  count_opened(core, index);
  state.flows.add();
  core.counters.flows_in(flow.state()).add();
  if (!core.flows.publish(index)) {
    free_flow(core, index);
    return false;
  }
  state.connections.add();
  core.service(flow).connections.add();
  core.count(Event::flows_opened);
  core.half_open.push(state.half_open, index, repeated);
  if (are_many_half_open(state.half_open)) [[unlikely]]
    note_half_open(core, flow);
  core.flow_timers.set(index, core.now_ms + idle_limit_ms(core, flow));
  core.flows.commit(index);
  return true;
}

void begin_handshake(Core& core, uint32_t index, Segment& syn) {
  Flow& flow = core.flows[index];
  const bool was_live = flow.live;
  core.flows.retract(index);
  const net::TcpHeader& tcp = *syn.packet.tcp;
  shape_syn(core, index, syn);
  flow.ts_recent = syn_numbers(tcp).tsval;
  const net::TcpOptions options = net::parse_tcp_options(tcp);
  flow.tcp.open(flow.bounds, syn.packet, options.window_scale, options.has_window_scale);
  if (was_live) core.flows.commit(index);
}

void restart_flow(Core& core, uint32_t index, const Segment& syn_ack) {
  Flow& flow = core.flows[index];
  const PassedSyn passed = flow.passed;
  const FlowState before = flow.state();
  core.count(Event::flows_restarted);
  log_end(core, flow, before, FlowEnd::replaced);
  core.flows.retract(index);
  flow.syn_slot = SynStore::kNone;
  flow.answer_due = false;
  flow.heal_attempts = 0;
  flow.syns = 1;
  flow.opened_ms = core.now32();

  const SynNumbers syn{passed.sequence, passed.tsval, passed.timestamps != 0};
  net::SeqAdjust adjust = flow.adjust;
  if (passed.rewritten != 0) adjust.timestamp = 0;
  set_adjust(core, index, passed.rewritten != 0, syn, adjust);
  flow.timestamps = syn.timestamps;
  const net::TcpHeader& answer = *syn_ack.packet.tcp;
  if (const uint8_t at = net::find_timestamps(answer)) {
    // The SYN's TSval as it went out: whatever the clock says now.
    flow.ts_recent = net::tcp_word_at(answer, static_cast<uint8_t>(at + 4)).host();
    if (flow.rewrite_timestamps) core.clock_map(index).start(syn.tsval, flow.ts_recent);
  }
  // Its window is not kept: the backend sends nothing before the client's next segment tells it.
  net::TcpHeader header{};
  header.sequence = net::be32::from_host(syn.sequence + adjust.sequence);
  header.data_offset = sizeof header / 4 << 4;
  header.flags = net::tcp_flag::kSyn;
  header.window = net::be16::from_host(UINT16_MAX);
  net::Packet packet{};
  packet.l4_length = sizeof header;
  packet.tcp = &header;
  flow.tcp.open(flow.bounds, packet, static_cast<uint8_t>(passed.window_scale),
                passed.has_window_scale != 0);
  if (flow.has_proxy_header()) plan_proxy_header(core, index, core.proxy_track(index).form);
  flow.half_open.extras &= static_cast<uint8_t>(~flow_extra::kSpliced);  // its own numbers
  core.flows.commit(index);
  core.note_state(before, flow.state());
  core.backend(flow).connections.add();
  core.service(flow).connections.add();
  core.count(Event::flows_opened);
}

}  // namespace sluice
