// SPDX-License-Identifier: BSD-3-Clause
// Answers from inside a worker.
#include "dataplane/errand.h"

#include <algorithm>

#include "dataplane/lifecycle.h"
#include "dataplane/resets.h"

namespace sluice {
namespace {

ListFlows::Row row_of(const Core& core, const Flow& flow) {
  return {core.client(flow),
          core.vip(flow),
          core.local(flow),
          core.backend_address(flow),
          flow.tcp.state(),
          stamp_age_ms(core.now32(), flow.last_seen_ms),
          stamp_age_ms(core.now32(), flow.opened_ms),
          flow.shift,
          flow.bytes_in(),
          flow.bytes_out()};
}

}  // namespace

bool ListFlows::step(Core& core) {
  constexpr uint32_t kEntriesPerStep = 256;
  const uint32_t size = core.flows.flow_count_max();
  const uint32_t end = std::min(size, cursor_ + kEntriesPerStep);
  for (; cursor_ < end && rows_.size() < rows_.capacity(); ++cursor_) {
    if (core.flows[cursor_].live) rows_.push_back(row_of(core, core.flows[cursor_]));
  }
  flow_count_ = core.flows.flow_count();
  return cursor_ == size || rows_.size() == rows_.capacity() || rows_.size() == flow_count_;
}

bool ResetFlows::step(Core& core) {
  constexpr uint32_t kEntriesPerStep = 256;
  constexpr uint32_t kResetsPerStep = 8;  // two packets each: below what a 10G port sends meanwhile
  // A RST that the device has no room for is a connection that hangs.
  const uint64_t tx_full =
      core.counters.drops[static_cast<size_t>(net::DropReason::tx_full)].value();
  if (tx_full > tx_full_before_) paused_ms_ = core.now_ms;
  tx_full_before_ = tx_full;
  if (paused_ms_ == core.now_ms) return false;
  const uint32_t size = core.flows.flow_count_max();
  const uint32_t end = std::min(size, cursor_ + kEntriesPerStep);
  for (uint32_t resets = 0; cursor_ < end && resets < kResetsPerStep; ++cursor_) {
    if (!core.flows[cursor_].live) continue;
    Flow& flow = core.flows[cursor_];
    if (!backends_[flow.backend] || is_over(flow.tcp.state())) continue;
    core.count(Event::flows_reset);
    const bool unanswered = flow.tcp.state() == TcpState::kSynSent;
    if (!unanswered || unanswered_ == Unanswered::kRefuse) reset_client(core, flow);
    abandon_flow(core, cursor_, FlowEnd::reset_by_order);
    ++resets;
    ++reset_count_;
  }
  return cursor_ == size;
}

bool ExplainTuple::step(Core& core) {
  const PortPool& ports = core.registry.pools[pool_]->ports;
  answer_.in_use = ports.in_use(port_);
  answer_.legacy = ports.legacy(port_);
  answer_.age_ms = stamp_age_ms(core.now32(), answer_.legacy.closed_ms);
  answer_.rules = core.snapshot->reuse;
  if (syn_) {
    answer_.linux_takes = linux_takes(answer_.legacy, *syn_);
    answer_.shift = fit(answer_.legacy, *syn_, core.random);
  }
  return true;
}

}  // namespace sluice
