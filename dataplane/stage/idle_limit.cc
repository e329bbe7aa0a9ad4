// SPDX-License-Identifier: BSD-3-Clause
// Idle limits, under pressure and without.
#include "dataplane/stage/idle_limit.h"

#include <algorithm>

namespace sluice {

namespace {

// So few at a time are no flood, however few the ports are.
constexpr uint64_t kFewHandshakes = 8;

/// A one-shot flow that has an answer, but not one for each of its client's datagrams. The client
/// may have repeated its question, and the backend may answer only once.
bool is_nearly_over(const Flow& flow) {
  return flow.udp.is_one_shot() && flow.state() != FlowState::kUdpUnanswered;
}

uint32_t udp_limit_ms(const Core& core, const Flow& flow) {
  const uint32_t idle_ms = core.registry.services[flow.key.service]->udp_idle_ms;
  return is_nearly_over(flow) ? std::min(idle_ms, PortPool::kLateAnswerMs) : idle_ms;
}

uint32_t configured_limit_ms(const Core& core, const Flow& flow) {
  if (flow.is_udp()) return udp_limit_ms(core, flow);
  return core.snapshot->timeouts_ms[static_cast<size_t>(flow.state())];
}

}  // namespace

uint32_t idle_limit_ms(const Core& core, const Flow& flow) {
  const uint32_t configured = configured_limit_ms(core, flow);
  if (!is_opening(flow.state()) && flow.state() != FlowState::kUdpUnanswered) return configured;
  const HalfOpenQueue& queue = half_open_queue(core, flow);
  const uint64_t count = queue.count.value();
  const bool many = count > kFewHandshakes && 2 * count > queue.limit.value();
  return many ? std::min(configured, kUsefulMs) : configured;
}

uint32_t idle_ms(const Core& core, const Flow& flow) {
  const bool pressed = is_opening(flow.state()) && !has_repeated(flow) &&
                       idle_limit_ms(core, flow) < configured_limit_ms(core, flow);
  return core.now32() - (pressed ? flow.opened_ms : flow.last_seen_ms);
}

bool ends_early(const Core& core, const Flow& flow) {
  return is_opening(flow.state()) &&
         core.now32() - flow.last_seen_ms < configured_limit_ms(core, flow);
}

}  // namespace sluice
