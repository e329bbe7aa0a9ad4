// SPDX-License-Identifier: BSD-3-Clause
// Datagrams of flows, and of none.
#include "dataplane/stage/udp.h"

#include "dataplane/net/packet_checksum.h"
#include "dataplane/stage/configured_backend.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/flow_log.h"
#include "dataplane/stage/forward.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/open_udp.h"
#include "dataplane/stage/proxy_datagram.h"
#include "dataplane/stage/why.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

// Clients that have no answer ask again after about a second, or later (RFC 8085, section 3.1.1).
constexpr uint32_t kAskAgainMs = 900;

Verdict forward_datagram(Core& core, Flow& flow, Segment& segment) {
  flow.last_seen_ms = core.now32();
  flow.udp.note_client(segment.packet.udp_payload_length());
  return forward_to_backend(core, flow, segment, *segment.packet.udp);
}

/// After the backend's datagram has taken the flow from one state to the next.
void enter_udp_state(Core& core, uint32_t index, FlowState before) {
  Flow& flow = core.flows[index];
  BackendState& backend = core.backend(flow);
  core.note_state(before, flow.state());
  if (before == FlowState::kUdpUnanswered) {
    backend.answered.add();
    core.half_open.prefer(backend.half_open, index);
    // Its client may have repeated one question: then no second answer comes.
    if (flow.udp.is_one_shot()) {
      core.flow_timers.hasten(index, core.now_ms + PortPool::kLateAnswerMs);
    }
    return;
  }
  core.half_open.remove(backend.half_open, index);
  core.count(Event::flows_established);
  count_established(core, index);
  core.note_client_established(flow);
}

void tell_unreachable(Core& core, const Segment& segment) {
  const net::Packet& packet = segment.packet;
  send_error(core, packet,
             {OwnError::Kind::kPortUnreachable, packet.destination_ip(), packet.ip_length()});
}

/// What a service answers whose backends, ports or entries are not to be had: ICMP where TCP would
/// get a RST.
Verdict refuse_datagram(Core& core, const ServiceView& service, const Segment& segment,
                        DropReason reason) {
  note_refusal(core, segment, reason);
  if (reason == DropReason::udp_deferred) return reason;  // its client is to try again
  core.registry.services[service.id]->refused.add();
  note_refused_source(core, segment, reason);
  if (core.snapshot->flow_log_sample != 0) [[unlikely]] {
    log_refusal(core, segment, reason);
  }
  if (service.on_refusal == OnRefusal::kReset && !is_silent(service, reason)) {
    tell_unreachable(core, segment);
  }
  return reason;
}

/// Its client has waited for an answer, and the backend takes no new flows any more. The time since
/// its last datagram tells nothing: one that sends without a pause waits as well.
bool is_better_elsewhere(const Core& core, const Flow& flow) {
  return stamp_age_ms(core.now32(), flow.opened_ms) >= kAskAgainMs && is_retired(core, flow);
}

Verdict forward_with_header(Core& core, uint32_t index, Segment& segment, Event counted) {
  Flow& flow = core.flows[index];
  flow.last_seen_ms = core.now32();
  flow.udp.note_client(segment.packet.udp_payload_length());
  const Verdict put = put_header_in_datagram(core, index, segment);
  if (!put.passed()) return put;
  core.count(counted);
  return forward_to_backend(core, flow, segment, *segment.packet.udp);
}

/// A datagram of a flow that the backend has not answered.
Verdict unanswered_inbound(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (is_better_elsewhere(core, flow)) {
    const ServiceView* service = core.snapshot->find_service(flow.key.service);
    core.count(Event::flows_replaced);
    core.backend(flow).unanswered.add();
    end_flow(core, index, FlowEnd::replaced);
    return service == nullptr ? udp_no_service(core, segment)
                              : udp_inbound_miss(core, *service, segment);
  }
  if (flow.has_proxy_header()) {
    return forward_with_header(core, index, segment, Event::proxy_headers_resent);
  }
  return forward_datagram(core, flow, segment);
}

}  // namespace

Verdict udp_inbound(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (segment.packet.hop_limit() <= 1) [[unlikely]]
    return hop_limit_expired(core, segment);
  if (flow.state() == FlowState::kUdpUnanswered) [[unlikely]] {
    return unanswered_inbound(core, index, segment);
  }
  return forward_datagram(core, flow, segment);
}

Verdict udp_inbound_miss(Core& core, const ServiceView& service, Segment& segment) {
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  if (!net::udp_checksum_ok(segment.packet)) {
    return DropReason::udp_checksum_bad;
  }
  uint32_t index;
  const Verdict opened = open_udp_flow(core, service, segment, index);
  if (!opened.passed()) return refuse_datagram(core, service, segment, opened.reason());
  if (core.flows[index].has_proxy_header()) {
    return forward_with_header(core, index, segment, Event::proxy_headers_sent);
  }
  return forward_datagram(core, core.flows[index], segment);
}

Verdict udp_outbound(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (segment.packet.hop_limit() <= 1) [[unlikely]]
    return hop_limit_expired(core, segment);
  if (flow.udp.is_one_shot() && !net::udp_checksum_ok(segment.packet)) [[unlikely]] {
    return DropReason::udp_checksum_bad;  // it would end the flow
  }
  const FlowState before = flow.udp.note_backend(segment.packet.udp_payload_length());
  if (flow.udp.is_refreshed_by_backend()) flow.last_seen_ms = core.now32();
  if (flow.state() != before) enter_udp_state(core, index, before);
  if (flow.udp.is_complete()) {
    const Verdict verdict =
        forward_to_client<NextHops::Share::kStrangers>(core, flow, segment, *segment.packet.udp);
    end_flow(core, index, FlowEnd::answered);
    return verdict;
  }
  // Before the client has gone on after an answer, it may be anybody.
  if (flow.state() != FlowState::kUdpEstablished) {
    return forward_to_client<NextHops::Share::kStrangers>(core, flow, segment, *segment.packet.udp);
  }
  return forward_to_client<NextHops::Share::kFlows>(core, flow, segment, *segment.packet.udp);
}

Verdict udp_outbound_miss(Core& core, const Segment& segment) {
  const net::Endpoint local = segment.destination();
  const PoolId pool = core.snapshot->pool_at(net::Protocol::kUdp, local.ip, segment.source());
  if (pool != kNoPool) {
    core.registry.pools[pool]->ports.touch_udp(local.port.host(), core.now32());
  }
  return DropReason::no_flow_outbound;
}

Verdict udp_no_service(Core& core, const Segment& segment) {
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  if (!net::udp_checksum_ok(segment.packet)) {
    return DropReason::udp_checksum_bad;
  }
  note_refusal(core, segment, DropReason::no_service);
  tell_unreachable(core, segment);
  return DropReason::no_service;
}

}  // namespace sluice
