// SPDX-License-Identifier: BSD-3-Clause
// State changes.
#include "dataplane/stage/lifecycle.h"

#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/idle_limit.h"

namespace sluice {

namespace {

FlowEnd end_by_backend_rst(Core& core, uint32_t index, FlowState before) {
  if (before == FlowState::kSynSent) return FlowEnd::refused;
  if (!core.flows[index].has_proxy_header() || !is_header_refused(core, index)) {
    return FlowEnd::backend_rst;
  }
  core.count(Event::proxy_headers_refused);
  return FlowEnd::header_refused;
}

FlowEnd end_of(Core& core, uint32_t index, FlowState before, TcpEvent event) {
  if (event == TcpEvent::kClientRst) return FlowEnd::client_rst;
  if (event == TcpEvent::kBackendRst) return end_by_backend_rst(core, index, before);
  return before == FlowState::kClientFirst ? FlowEnd::client_fin : FlowEnd::backend_fin;
}

}  // namespace

void enter_state(Core& core, uint32_t index, FlowState before, TcpEvent event,
                 const Segment& segment) {
  Flow& flow = core.flows[index];
  const FlowState state = flow.state();
  if (state == before) return;
  core.note_state(before, state);
  core.flow_timers.set(index, core.now_ms + idle_limit_ms(core, flow));
  if (flow.adjusted && flow.has_proxy_header()) hasten_header(core, index);
  if (is_opening(before) && !is_opening(state)) {
    core.half_open.remove(core.backend(flow).half_open, index);
    if (!is_closed(state)) {
      core.count(Event::flows_established);
      count_established(core, index);
      core.note_client_established(flow);
    }
    core.release_syn(flow);
    flow.answer_due = false;
    flow.passed = {};
  }
  if (!is_closed(state)) return;
  core.count(state == FlowState::kTimeWait ? Event::flows_closed_time_wait
                                           : Event::flows_closed_available);
  end_flow(core, index, end_of(core, index, before, event), before, &segment);
}

}  // namespace sluice
