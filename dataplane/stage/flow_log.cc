// SPDX-License-Identifier: BSD-3-Clause
// Records of flows that have ended.
#include "dataplane/stage/flow_log.h"

namespace sluice {
namespace {

FlowRecord record_of(const Core& core, const Flow& flow, FlowState state, FlowEnd end) {
  const uint64_t now_ms = core.wall_clock.at(core.now_ms);
  return {flow.is_udp() ? net::Protocol::kUdp : net::Protocol::kTcp,
          core.client(flow),
          core.vip(flow),
          core.local(flow),
          core.backend_address(flow),
          now_ms - stamp_age_ms(core.now32(), flow.opened_ms),
          now_ms,
          flow.bytes_in(),
          flow.bytes_out(),
          flow.adjust,
          end,
          state,
          flow.reuse,
          flow.rewrite_timestamps,
          flow.heal_attempts,
          flow.syns,
          false,
          {}};
}

}  // namespace

void log_end(Core& core, const Flow& flow, FlowState state, FlowEnd end) {
  const uint32_t sample = core.snapshot->flow_log_sample;
  if (sample == 0) [[likely]]
    return;
  if (!core.flow_log->wants(sample)) return;
  const bool given = core.flow_log->give(record_of(core, flow, state, end));
  core.count(given ? Event::flows_logged : Event::flow_log_dropped);
}

void log_refusal(Core& core, const Segment& first, net::DropReason reason) {
  FlowRecord record{};
  record.protocol =
      first.packet.kind == net::Packet::Kind::kUdp ? net::Protocol::kUdp : net::Protocol::kTcp;
  record.client = first.source();
  record.vip = first.destination();
  record.start_ms = record.end_ms = core.wall_clock.at(core.now_ms);
  record.is_refusal = true;
  record.refusal = reason;
  const bool given = core.flow_log->wants_refusal(core.snapshot->flow_log_sample, core.now_ms) &&
                     core.flow_log->give(record);
  core.count(given ? Event::refusals_logged : Event::refusals_not_logged);
}

}  // namespace sluice
