// SPDX-License-Identifier: BSD-3-Clause
// Answers from inside a worker.
#include "dataplane/worker/worker_call.h"

#include <algorithm>

#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/resets.h"

namespace sluice {
namespace {

ListFlows::Row row_of(const Core& core, const Flow& flow) {
  return {flow.is_udp() ? net::Protocol::kUdp : net::Protocol::kTcp,
          core.client(flow),
          core.vip(flow),
          core.local(flow),
          core.backend_address(flow),
          flow.state(),
          stamp_age_ms(core.now32(), flow.last_seen_ms),
          stamp_age_ms(core.now32(), flow.opened_ms),
          flow.adjust,
          flow.bytes_in(),
          flow.bytes_out()};
}

bool matches(const std::optional<net::IpPrefix>& network, net::be16 port,
             const net::Endpoint& endpoint) {
  return (!network || network->contains(endpoint.ip)) &&
         (port == net::be16{} || port == endpoint.port);
}

bool matches(const FlowFilter& filter, const Core& core, const Flow& flow) {
  const uint32_t age_ms = stamp_age_ms(core.now32(), flow.opened_ms);
  return (filter.service == kNoId || filter.service == flow.key.service) &&
         (!filter.state || *filter.state == flow.state()) && age_ms >= filter.age_min_ms &&
         age_ms <= filter.age_max_ms &&
         matches(filter.client, filter.client_port, core.client(flow)) &&
         matches(filter.backend, filter.backend_port, core.backend_address(flow));
}

}  // namespace

bool ListFlows::step(Core& core) {
  constexpr uint32_t kEntriesPerStep = 256;
  const uint32_t size = core.flows.flow_count_max();
  const uint32_t left = limits_.entries_max - std::min(limits_.entries_max, looked_at());
  const uint32_t end = cursor_ + std::min({size - std::min(size, cursor_), left, kEntriesPerStep});
  for (; cursor_ < end && rows_.size() < limits_.rows_max; ++cursor_) {
    const Flow& flow = core.flows[cursor_];
    if (!flow.live) continue;
    ++live_seen_;
    if (matches(filter_, core, flow)) rows_.push_back(row_of(core, flow));
  }
  flow_count_ = core.flows.flow_count();
  const bool all_seen = limits_.first == 0 && live_seen_ >= flow_count_;
  ended_ = cursor_ >= size || all_seen;
  return ended_ || rows_.size() >= limits_.rows_max || looked_at() >= limits_.entries_max;
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
    if (!backends_[core.backend(flow).id] || is_closed(flow.state())) continue;
    core.count(Event::flows_reset);
    const bool unanswered = flow.state() == FlowState::kSynSent;
    if (!flow.is_udp() && (!unanswered || unanswered_ == Unanswered::kRefuse)) {
      reset_client(core, flow);
    }
    end_flow(core, cursor_, FlowEnd::reset_by_order);
    ++resets;
    ++reset_count_;
  }
  return cursor_ == size;
}

bool ExplainTuple::step(Core& core) {
  const PortPool& ports = core.registry.pools[pool_]->ports;
  answer_.in_use = ports.in_use(port_);
  answer_.prior = ports.prior(port_);
  answer_.age_ms = stamp_age_ms(core.now32(), answer_.prior.closed_ms);
  answer_.rules = core.snapshot->reuse;
  if (syn_) {
    answer_.linux_takes = linux_takes(answer_.prior, *syn_);
    answer_.adjust = smallest_adjust(answer_.prior, *syn_, core.random);
  }
  return true;
}

}  // namespace sluice
