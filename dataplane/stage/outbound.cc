// SPDX-License-Identifier: BSD-3-Clause
// Backend to client.
#include "dataplane/stage/outbound.h"

#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/cookie_state.h"
#include "dataplane/stage/forward.h"
#include "dataplane/stage/heal.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/lifecycle.h"
#include "dataplane/stage/mss_clamp.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/passed_syn.h"
#include "dataplane/stage/proxy_header.h"
#include "dataplane/stage/resets.h"
#include "dataplane/stage/seq_adjust.h"
#include "dataplane/stage/splice.h"
#include "dataplane/stage/splice_numbers.h"
#include "dataplane/stage/why.h"

namespace sluice {

using net::DropReason;
using net::Verdict;
namespace flag = net::tcp_flag;

namespace {

template <NextHops::Share share>
[[gnu::always_inline]] inline Verdict send_to_client(Core& core, Flow& flow, Segment& segment) {
  return forward_to_client<share>(core, flow, segment, *segment.packet.tcp);
}

/// For what must not keep a flow alive.
Verdict forward_unseen(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  if (flow.adjusted) adjust_outbound(core, index, *segment.packet.tcp);
  if (segment.packet.tcp->has(flag::kSyn)) clamp_mss(core, flow, *segment.packet.tcp);
  // Before the client has answered, it may be anybody.
  if (flow.tcp.state() <= FlowState::kSynReceived) {
    return send_to_client<NextHops::Share::kStrangers>(core, flow, segment);
  }
  return send_to_client<NextHops::Share::kFlows>(core, flow, segment);
}

Verdict forward(Core& core, uint32_t index, Segment& segment) {
  core.flows[index].last_seen_ms = core.now32();
  return forward_unseen(core, index, segment);
}

/// Of a backend to a SYN of ours: its client has had an answer.
Verdict consume_answer(Core& core, const Segment& answer) {
  core.count(Event::syn_cookies_spliced);
  rte_pktmbuf_free(answer.buffer);
  return net::Fate::kConsumed;
}

Verdict accept_syn_ack(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  const net::TcpOptions options = net::parse_tcp_options(*segment.packet.tcp);
  flow.tcp.answer(flow.bounds, segment.packet, options.window_scale, options.has_window_scale);
  BackendState& backend = core.backend(flow);
  backend.answered.add();
  if (flow.timestamps) {
    (options.has_timestamps() ? backend.timestamps_kept : backend.timestamps_refused).add();
  }
  flow.timestamps = flow.timestamps && options.has_timestamps();
  flow.answer_due = false;
  if (flow.syn_slot != SynStore::kNone) {
    // Its microseconds last for an hour.
    constexpr uint32_t kLongMs = 3'600'000;
    const auto now_us = static_cast<uint32_t>(core.now_us);
    const bool is_long = stamp_age_ms(core.now32(), flow.opened_ms) > kLongMs;
    backend.handshakes.count(is_long ? UINT32_MAX : now_us - core.syns.sent_us(flow.syn_slot));
  }
  if (flow.heal_attempts > 0) {
    core.count(Event::heals_succeeded);
    backend.heals_succeeded.add();
    note_healed(core, flow, segment);
  }
  if (core.now32() - core.service(flow).cookies.learned_ms >= kLearnEveryMs) {
    learn_offer(core, flow, *segment.packet.tcp);
  }
  if (flow.adjusted) [[unlikely]] {
    if (flow.has_proxy_header()) note_header_mss(core, index, *segment.packet.tcp);
    if (flow.is_spliced()) {
      complete_splice(core, index, segment);
      return consume_answer(core, segment);
    }
  }
  enter_state(core, index, FlowState::kSynSent, TcpEvent::kSynAck, segment);
  return forward(core, index, segment);
}

Verdict accept_refusal(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  const FlowState before = flow.tcp.state();
  core.count(Event::backend_refusals);
  core.backend(flow).refused.add();
  const bool waits = is_splice_waiting(core, index);
  if (waits) reset_client(core, flow);  // at the number that it expects
  flow.tcp.advance(TcpEvent::kBackendRst);
  enter_state(core, index, before, TcpEvent::kBackendRst, segment);
  return waits ? consume_answer(core, segment) : forward(core, index, segment);
}

/// The first segment that comes back. Only a SYN-ACK or a refusal of this very SYN reaches the
/// client; any other is of an older connection of the tuple.
Verdict answer_to_syn(Core& core, uint32_t index, Segment& segment) {
  const net::TcpHeader& tcp = *segment.packet.tcp;
  if (!net::tcp_checksum_ok(segment.packet)) {
    return DropReason::tcp_checksum_bad;
  }
  Flow& flow = core.flows[index];
  if (!tcp.has(flag::kAck)) {
    return tcp.has(flag::kRst) ? DropReason::rst_out_of_window : DropReason::segment_unexpected;
  }
  const bool ours = flow.tcp.answers_syn(tcp.acknowledgement.host());
  if (tcp.has(flag::kRst)) {
    if (!ours) return DropReason::rst_out_of_window;
    return accept_refusal(core, index, segment);
  }
  if (tcp.has(flag::kSyn) && ours) return accept_syn_ack(core, index, segment);
  if (ours) return DropReason::segment_unexpected;
  return heal(core, index, segment);
}

/// What answers the SYN that was passed on to the backend of an open flow.
Verdict answer_to_passed_syn(Core& core, uint32_t index, Segment& segment) {
  if (segment.packet.tcp->has(flag::kRst)) return accept_refusal(core, index, segment);
  restart_flow(core, index, segment);
  return accept_syn_ack(core, index, segment);
}

/// Any segment of a flow, whatever it does to it. Not inlined: outbound() is to stay short.
[[gnu::noinline]] Verdict outbound_slow_path(Core& core, uint32_t index, Segment& segment) {
  net::TcpHeader& tcp = *segment.packet.tcp;
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  Flow& flow = core.flows[index];
  const FlowState before = flow.tcp.state();
  if (before == FlowState::kSynSent) return answer_to_syn(core, index, segment);
  if (tcp.has(flag::kSyn | flag::kFin | flag::kRst) && !net::tcp_checksum_ok(segment.packet)) {
    return DropReason::tcp_checksum_bad;
  }
  if (is_open(before) && answers_passed_syn(flow, tcp)) {
    return answer_to_passed_syn(core, index, segment);
  }
  if (!is_closed(before) && !flow.tcp.acknowledges_possible(tcp)) return DropReason::stale_answer;
  const bool is_news = segment.packet.sequence_length() > 0 ||
                       tcp.acknowledgement.host() != flow.tcp.backend_expects();
  const TcpReading reading = flow.tcp.outbound(flow.bounds, segment.packet);
  if (tcp.has(flag::kRst) && !reading.in_window) return DropReason::rst_out_of_window;
  if (before == FlowState::kSynReceived) flow.answer_due = false;
  const bool is_challenge =
      flow.answer_due && is_open(before) && reading.in_window && !tcp.has(flag::kRst);
  if (is_challenge) note_backend_lives(core, flow, is_news);
  if (reading.event != TcpEvent::kNone) {
    if (reading.event == TcpEvent::kBackendRst && !is_closed(before))
      core.backend(flow).resets.add();
    flow.tcp.advance(reading.event);
    enter_state(core, index, before, reading.event, segment);
  }
  if (flow.adjusted && flow.has_proxy_header() && absorb_for_header(core, index, segment)) {
    return net::Fate::kConsumed;
  }
  // A RST elsewhere in the window may be a stranger's, and so may the SYN that was challenged.
  const bool believed = reading.in_window && (!is_challenge || is_news) &&
                        (!tcp.has(flag::kRst) || reading.event != TcpEvent::kNone);
  return believed ? forward(core, index, segment) : forward_unseen(core, index, segment);
}

}  // namespace

Verdict outbound(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  const net::TcpHeader& tcp = *segment.packet.tcp;
  if (!flow.tcp.is_mid_connection(tcp) || flow.adjusted || segment.packet.hop_limit() <= 1 ||
      !flow.tcp.follow_backend(flow.bounds, segment.packet)) [[unlikely]] {
    return outbound_slow_path(core, index, segment);
  }
  flow.last_seen_ms = core.now32();
  return send_to_client<NextHops::Share::kFlows>(core, flow, segment);
}

Verdict outbound_miss(Core& core, Segment& segment) {
  if (!net::tcp_checksum_ok(segment.packet)) {
    return DropReason::tcp_checksum_bad;
  }
  answer_with_reset(core, segment, Event::resets_to_backends);
  return DropReason::no_flow_outbound;
}

}  // namespace sluice
