// SPDX-License-Identifier: BSD-3-Clause
// Fills records.
#include "dataplane/stage/why.h"

#include <optional>

#include "dataplane/stage/packet_views.h"

namespace sluice {
namespace {

constexpr auto kHealedCause = static_cast<uint8_t>(kFlowEndCount);

WhyRecord* next_record(Core& core, bool is_drop, uint8_t cause) {
  WhyRecord* const record = core.why.next(is_drop, cause, core.now_ms);
  core.count(record == nullptr ? Event::why_left_out : Event::why_noted);
  if (record == nullptr) return nullptr;
  *record = {};
  record->wall_clock_ms = core.wall_clock.at(core.now_ms);
  record->is_drop = is_drop;
  return record;
}

void set_flow(const Core& core, const Flow& flow, FlowState before, WhyRecord& record) {
  record.protocol = is_udp(before) ? net::Protocol::kUdp : net::Protocol::kTcp;
  record.client = core.client(flow);
  record.vip = core.vip(flow);
  record.has_flow = true;
  record.flow = view_of(core, flow);
  record.flow.state = before;
  record.syns = flow.syns;
  record.age_ms = stamp_age_ms(core.now32(), flow.opened_ms);
  if (!is_udp(before)) record.sequence = flow.bounds.client_first - 1 - flow.adjust.sequence;
}

void set_packet(const Segment& segment, WhyRecord& record) {
  record.has_packet = true;
  record.packet = view_of(segment);
  record.from_client = record.packet.source == record.client;
}

/// What an end means for who waits for the connection; nothing where it is no news.
std::optional<WhyOutcome> outcome_of(FlowState before, FlowEnd end) {
  const bool opening = is_udp(before) ? before == FlowState::kUdpUnanswered : is_opening(before);
  switch (end) {
    case FlowEnd::refused:
    case FlowEnd::unreachable:
      return WhyOutcome::kRefused;
    case FlowEnd::heal_exhausted:
    case FlowEnd::header_unanswered:
      return WhyOutcome::kFailed;
    case FlowEnd::timed_out:
      if (opening) return WhyOutcome::kFailed;
      break;
    case FlowEnd::replaced:
    case FlowEnd::evicted:
      return opening ? std::optional(WhyOutcome::kFailed) : std::nullopt;
    case FlowEnd::given_up:
    case FlowEnd::client_rst:  // of an open connection it is a client's way to close
      return opening ? std::optional(WhyOutcome::kReset) : std::nullopt;
    case FlowEnd::backend_rst:
    case FlowEnd::header_refused:
    case FlowEnd::reset_by_order:
      break;
    case FlowEnd::client_fin:
    case FlowEnd::backend_fin:
    case FlowEnd::answered:
      return std::nullopt;
  }
  return opening || is_open(before) ? std::optional(WhyOutcome::kReset) : std::nullopt;
}

}  // namespace

void note_refusal(Core& core, const Segment& segment, net::DropReason reason) {
  WhyRecord* const record = next_record(core, true, static_cast<uint8_t>(reason));
  if (record == nullptr) return;
  const bool udp = segment.packet.kind == net::Packet::Kind::kUdp;
  record->protocol = udp ? net::Protocol::kUdp : net::Protocol::kTcp;
  record->client = segment.source();
  record->vip = segment.destination();
  const bool reset = reason == net::DropReason::no_flow_inbound;
  record->outcome = reset ? WhyOutcome::kReset : WhyOutcome::kRefused;
  record->reason = reason;
  set_packet(segment, *record);
}

void note_unusual_end(Core& core, const Flow& flow, FlowState before, FlowEnd end,
                      const Segment* last) {
  const std::optional<WhyOutcome> outcome = outcome_of(before, end);
  if (!outcome) return;
  WhyRecord* const record = next_record(core, false, static_cast<uint8_t>(end));
  if (record == nullptr) return;
  record->outcome = *outcome;
  record->end = end;
  set_flow(core, flow, before, *record);
  if (last != nullptr) set_packet(*last, *record);
}

void note_healed(Core& core, const Flow& flow, const Segment& answer) {
  WhyRecord* const record = next_record(core, false, kHealedCause);
  if (record == nullptr) return;
  record->outcome = WhyOutcome::kHealed;
  set_flow(core, flow, FlowState::kSynSent, *record);
  set_packet(answer, *record);
}

}  // namespace sluice
