// SPDX-License-Identifier: BSD-3-Clause
// Records of flows that have ended.
#include "dataplane/stage/flow_log.h"

#include <rte_errno.h>

#include <stdexcept>

#include "dataplane/stage/core.h"

namespace sluice {
namespace {

FlowRecord record_of(const Core& core, const Flow& flow, TcpState state, FlowEnd end) {
  const uint64_t now_ms = core.wall_clock.at(core.now_ms);
  return {core.client(flow),
          core.vip(flow),
          core.local(flow),
          core.backend_address(flow),
          now_ms - stamp_age_ms(core.now32(), flow.opened_ms),
          now_ms,
          flow.bytes_in(),
          flow.bytes_out(),
          flow.shift,
          end,
          state,
          flow.grant,
          flow.rewrite_timestamps,
          flow.heal_attempts,
          flow.syns,
          false,
          {}};
}

}  // namespace

FlowLogRing::FlowLogRing(const std::string& name, int numa_socket)
    : ring_(rte_ring_create_elem(name.c_str(), kSize, kRecordsMax, numa_socket,
                                 RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ)) {
  if (ring_ == nullptr) throw std::runtime_error("ring " + name + ": " + rte_strerror(rte_errno));
}

void log_end(Core& core, const Flow& flow, TcpState state, FlowEnd end) {
  if (!core.flow_log->wants(core.snapshot->flow_log_sample)) return;
  const bool given = core.flow_log->give(record_of(core, flow, state, end));
  core.count(given ? Event::flows_logged : Event::flow_log_dropped);
}

void log_refusal(Core& core, net::Endpoint client, net::Endpoint vip, net::DropReason reason) {
  FlowRecord record{};
  record.client = client;
  record.vip = vip;
  record.start_ms = record.end_ms = core.wall_clock.at(core.now_ms);
  record.is_refusal = true;
  record.refusal = reason;
  const bool given = core.flow_log->wants_refusal(core.snapshot->flow_log_sample, core.now_ms) &&
                     core.flow_log->give(record);
  core.count(given ? Event::refusals_logged : Event::refusals_not_logged);
}

}  // namespace sluice
