// SPDX-License-Identifier: BSD-3-Clause
// Client to backend.
#include "dataplane/stage/inbound.h"

#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/serial.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/admission.h"
#include "dataplane/stage/configured_backend.h"
#include "dataplane/stage/cookie_state.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/flow_log.h"
#include "dataplane/stage/forward.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/heal.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/lifecycle.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/passed_syn.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/proxy_header.h"
#include "dataplane/stage/resets.h"
#include "dataplane/stage/seq_adjust.h"
#include "dataplane/stage/splice_numbers.h"
#include "dataplane/stage/syn_cookies.h"
#include "dataplane/stage/toa.h"
#include "dataplane/stage/why.h"

namespace sluice {

using net::DropReason;
using net::Verdict;
namespace flag = net::tcp_flag;

namespace {

constexpr uint8_t kSynsCounted = 3;  // what Flow::syns can hold
constexpr uint8_t kStateChanging = flag::kSyn | flag::kFin | flag::kRst;

/// Refuses a SYN as the service wants it: with RST, or silently.
Verdict refuse(Core& core, const ServiceView& service, Segment& segment, DropReason reason) {
  note_refusal(core, segment, reason);
  if (reason == DropReason::syn_deferred) return reason;  // its client is to try again
  core.registry.services[service.id]->refused.add();
  note_refused_source(core, segment, reason);
  if (core.snapshot->flow_log_sample != 0) [[unlikely]] {
    log_refusal(core, segment, reason);
  }
  if (service.on_refusal == OnRefusal::kReset && !is_silent(service, reason)) {
    answer_with_reset(core, segment, Event::resets_to_clients);
  }
  return reason;
}

/// For what must not keep a flow alive.
[[gnu::always_inline]] inline Verdict forward_unseen(Core& core, Flow& flow, Segment& segment) {
  return forward_to_backend(core, flow, segment, *segment.packet.tcp);
}

[[gnu::always_inline]] inline Verdict forward(Core& core, Flow& flow, Segment& segment) {
  flow.last_seen_ms = core.now32();
  return forward_unseen(core, flow, segment);
}

/// Ends the flow and treats its client's SYN as the first.
Verdict begin_anew(Core& core, uint32_t index, Segment& segment) {
  const ServiceView* service = core.snapshot->find_service(core.flows[index].key.service);
  if (!is_closed(core.flows[index].tcp.state())) core.count(Event::flows_replaced);
  end_flow(core, index, FlowEnd::replaced);
  if (service == nullptr) {  // removed meanwhile
    answer_with_reset(core, segment, Event::resets_to_clients);
    return DropReason::no_service;
  }
  return inbound_miss(core, *service, segment);
}

/// Keeps the newest TSval that went to the backend.
void note_timestamps(Flow& flow, const net::TcpHeader& tcp) {
  if (const uint8_t at = net::find_timestamps(tcp)) {
    flow.ts_recent = net::serial_max(flow.ts_recent, net::tcp_word_at(tcp, at).host());
  }
}

/// The SYN that opened the flow, once more. last_seen_ms tells when it last came, or was answered;
/// copies do not count, and nothing follows from them.
Verdict own_syn(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (flow.adjusted && flow.is_spliced()) return DropReason::segment_unexpected;  // it is late
  const bool unanswered = flow.tcp.state() == FlowState::kSynSent;
  if (stamp_age_ms(core.now32(), flow.last_seen_ms) < kSynRepeatMs) {
    core.count(Event::syns_copied);
    shape_syn(core, index, segment);
    if (flow.timestamps) note_timestamps(flow, *segment.packet.tcp);
    return forward_unseen(core, flow, segment);
  }
  core.count(Event::syns_retransmitted);
  prefer_repeated(core, index);
  if (unanswered) core.backend(flow).unanswered.add();
  // What takes no new flow any more need not be waited for either.
  if ((unanswered || flow.answer_due) && is_retired(core, flow)) {
    return begin_anew(core, index, segment);
  }
  if (unanswered) {
    // Twice unanswered may be more than loss: a backend that drops what an old tuple forbids says
    // nothing.
    if (flow.syns > 1) move_unanswered(core, index, segment);
    begin_handshake(core, index, segment);
  } else {
    flow.answer_due = true;
    shape_syn(core, index, segment);
  }
  if (flow.syns < kSynsCounted) ++flow.syns;
  return forward(core, flow, segment);
}

/// A SYN where a flow stands already: sent again, a new connection of a client that is through with
/// the old one, or one that the backend must judge.
Verdict repeated_syn(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (flow.tcp.is_same_syn(flow.bounds,
                           segment.packet.tcp->sequence.host() + flow.adjust.sequence)) {
    return own_syn(core, index, segment);
  }
  if (is_open(flow.tcp.state()) && meet_other_syn(core, index, segment) == SynFate::kPass) {
    return forward_unseen(core, flow, segment);
  }
  return begin_anew(core, index, segment);
}

/// Late segments of a connection that is over may start the backend's TIME_WAIT anew.
void note_late_segment(Core& core, const Flow& flow) {
  if (flow.tcp.state() == FlowState::kTimeWait) {
    core.pool(flow).ports.touch(flow.local_port.host(), prior_incarnation(core, flow));
  }
}

/// Any segment of a flow, whatever it does to it. Not inlined: inbound() is to stay short.
[[gnu::noinline]] Verdict inbound_slow_path(Core& core, uint32_t index, Segment& segment) {
  net::TcpHeader& tcp = *segment.packet.tcp;
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  if ((tcp.flags & kStateChanging) != 0) {
    if (!net::tcp_checksum_ok(segment.packet)) {
      return DropReason::tcp_checksum_bad;
    }
    if (tcp.has(flag::kSyn)) {
      if (tcp.has(flag::kAck)) return DropReason::segment_unexpected;
      return repeated_syn(core, index, segment);
    }
  }
  Flow& flow = core.flows[index];
  const FlowState before = flow.tcp.state();
  if (before == FlowState::kSynSent && !tcp.has(flag::kRst)) return DropReason::segment_unexpected;
  if (flow.adjusted) adjust_inbound(core, index, tcp);

  const TcpReading reading = flow.tcp.inbound(flow.bounds, segment.packet);
  if (tcp.has(flag::kRst) && !reading.in_window) return DropReason::rst_out_of_window;
  // A RST elsewhere in the window may be a stranger's.
  const bool believed =
      reading.in_window && (!tcp.has(flag::kRst) || reading.event != TcpEvent::kNone);
  if (flow.timestamps && believed) note_timestamps(flow, tcp);
  if (is_closed(before)) note_late_segment(core, flow);
  if (before == FlowState::kSynSent) {  // a RST: the client gave up before any answer
    const Verdict verdict = forward(core, flow, segment);
    end_flow(core, index, FlowEnd::given_up, before);
    return verdict;
  }
  if (reading.event != TcpEvent::kNone) {
    if (reading.event == TcpEvent::kClientRst && !is_closed(before)) {
      core.backend(flow).resets.add();
      if (flow.has_proxy_header()) reset_before_header(core, index);
    }
    flow.tcp.advance(reading.event);
    enter_state(core, index, before, reading.event, segment);
  }
  if (flow.adjusted && believed) [[unlikely]] {
    if (flow.has_toa()) add_toa(core, index, segment);
    if (flow.has_proxy_header() && follow_header(core, index, tcp)) {
      return forward_with_header(core, index, segment);
    }
  }
  return believed ? forward(core, flow, segment) : forward_unseen(core, flow, segment);
}

}  // namespace

Verdict inbound(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  const net::TcpHeader& tcp = *segment.packet.tcp;
  if (!flow.tcp.is_mid_connection(tcp) || flow.adjusted || segment.packet.hop_limit() <= 1 ||
      !flow.tcp.follow_client(flow.bounds, segment.packet)) [[unlikely]] {
    return inbound_slow_path(core, index, segment);
  }
  if (flow.timestamps) note_timestamps(flow, tcp);
  return forward(core, flow, segment);
}

Verdict inbound_miss(Core& core, const ServiceView& service, Segment& segment) {
  const net::TcpHeader& tcp = *segment.packet.tcp;
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  if (!net::tcp_checksum_ok(segment.packet)) {
    return DropReason::tcp_checksum_bad;
  }
  const bool cookies = service.has_extras && service.syn_cookies != SynCookieMode::kNever;
  if (!tcp.has(flag::kSyn) || tcp.has(flag::kAck)) {
    if (cookies) [[unlikely]] {
      if (const auto opened = open_by_cookie(core, service, segment)) {
        return opened->passed() ? *opened : refuse(core, service, segment, opened->reason());
      }
    }
    note_refusal(core, segment, DropReason::no_flow_inbound);
    answer_with_reset(core, segment, Event::resets_to_clients);
    return DropReason::no_flow_inbound;
  }
  if (cookies && answers_by_cookie(core, service)) [[unlikely]] {
    const Verdict listed = check_lists(core, service, segment);
    if (!listed.passed()) return refuse(core, service, segment, listed.reason());
    return answer_by_cookie(core, service, segment);
  }
  uint32_t index;
  const Verdict opened = open_flow(core, service, segment, index);
  if (!opened.passed()) return refuse(core, service, segment, opened.reason());
  return forward(core, core.flows[index], segment);
}

}  // namespace sluice
