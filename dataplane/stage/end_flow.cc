// SPDX-License-Identifier: BSD-3-Clause
// Ending a flow.
#include "dataplane/stage/end_flow.h"

#include "dataplane/stage/flow_log.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/resets.h"
#include "dataplane/stage/splice_numbers.h"
#include "dataplane/stage/why.h"

namespace sluice {

namespace {

/// Which ends are told by a RST of ours. The others have sent or seen the segment that ended it, or
/// have been told already.
struct Resets {
  bool client = false;
  bool backend = false;
};
constexpr Resets resets_of(FlowEnd end) {
  switch (end) {
    case FlowEnd::timed_out:
    case FlowEnd::header_unanswered:
      return {.client = true, .backend = true};
    case FlowEnd::replaced:        // its client has begun anew
    case FlowEnd::evicted:         // its client may try again
    case FlowEnd::reset_by_order:  // whoever ordered it tells the client, or lets it retry
      return {.backend = true};
    case FlowEnd::heal_exhausted:
      return {.client = true};
    case FlowEnd::client_fin:
    case FlowEnd::backend_fin:
    case FlowEnd::client_rst:
    case FlowEnd::backend_rst:
    case FlowEnd::header_refused:
    case FlowEnd::refused:
    case FlowEnd::given_up:
    case FlowEnd::answered:
    case FlowEnd::unreachable:
      break;
  }
  return {};
}

/// The connection's own segments ended it, so late ones of it may follow.
constexpr bool is_by_segment(FlowEnd end) {
  return end <= FlowEnd::refused;
}

/// A backend that keeps a flow in this state has nothing that a RST would have to clear.
bool backend_knows_end(FlowState state) {
  return state >= FlowState::kBackendFirst;
}

/// Answered or not, the backend has then been told; what it held before a SYN that it never
/// answered is for the port to remember.
void clear_backend(Core& core, Flow& flow) {
  const FlowState before = flow.state();
  if (backend_knows_end(before)) return;
  reset_backend(core, flow);
  if (is_opening(before)) core.release_syn(flow);
  if (before != FlowState::kSynSent) flow.tcp.advance(TcpEvent::kClientRst);
  core.note_state(before, flow.state());
}

void give_port_back(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  if (!flow.holds_port) return;
  flow.holds_port = false;
  PortPool& ports = core.pool(flow).ports;
  const uint16_t port = flow.local_port.host();
  core.backend(flow).active.subtract();
  count_over(core, index);
  if (flow.is_udp()) {
    return ports.give_back_udp(port, flow.udp.may_be_answered(), core.now32());
  }
  const PriorIncarnation prior = prior_incarnation(core, flow);
  if (flow.state() == FlowState::kSynSent) {
    ports.give_back_unanswered(port, prior, index);
  } else {
    ports.give_back(port, prior, index);
  }
}

}  // namespace

void end_flow(Core& core, uint32_t index, FlowEnd end, FlowState before, const Segment* last) {
  Flow& flow = core.flows[index];
  if (!is_closed(before)) {
    log_end(core, flow, before, end);
    note_end(core, flow, before, end, last);
  }
  if (is_udp(before)) return free_flow(core, index);  // nobody has to be told
  const bool silent = end == FlowEnd::timed_out && !flow.reset_on_timeout;
  Resets resets = silent ? Resets{} : resets_of(end);
  // Its client takes itself for connected, and would wait for long.
  if (resets.backend && is_splice_waiting(core, index)) resets.client = true;
  if (resets.client) reset_client(core, flow);
  if (resets.backend) clear_backend(core, flow);
  if (!is_by_segment(end) || !is_closed(flow.state())) return free_flow(core, index);
  give_port_back(core, index);
  core.flows.push_closed(index);
}

void free_flow(Core& core, uint32_t index) {
  core.flows.retract(index);
  Flow& flow = core.flows[index];
  core.flow_timers.cancel(index);
  core.half_open.remove(core.backend(flow).half_open, index);
  give_port_back(core, index);
  if (is_opening(flow.state())) core.release_syn(flow);
  core.pool(flow).ports.forget_flow(flow.local_port.host(), index);
  core.pool(flow).flows.subtract();
  core.counters.flows_in(flow.state()).subtract();
  core.backend(flow).flows.subtract();
  core.flows.erase(index);
}

}  // namespace sluice
