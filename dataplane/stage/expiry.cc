// SPDX-License-Identifier: BSD-3-Clause
// Idle limits that are reached.
#include "dataplane/stage/expiry.h"

#include "dataplane/stage/admission.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/heal.h"
#include "dataplane/stage/idle_limit.h"
#include "dataplane/stage/proxy_header.h"
#include "dataplane/stage/splice.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {

void expire_flow(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  flow.opened_ms = stamp_kept_in_range(core.now32(), flow.opened_ms);
  const FlowState state = flow.state();
  const uint32_t timeout = idle_limit_ms(core, flow);
  const uint32_t idle = idle_ms(core, flow);
  if (flow.answer_due && state == FlowState::kSynSent) {
    heal_overdue(core, index);
    if (core.flows[index].live && is_splice_waiting(core, index)) hasten_splice(core, index);
    return;
  }
  if (flow.adjusted && is_splice_waiting(core, index)) return splice_overdue(core, index);
  if (flow.adjusted && flow.has_proxy_header() && is_header_pending(core, index)) {
    return header_overdue(core, index);
  }
  if (idle < timeout) {
    core.flow_timers.set(index, core.now_ms + timeout - idle);
    return;
  }
  if (is_closed(state)) return free_flow(core, index);
  if (ends_early(core, flow)) return evict(core, index);
  core.count(Event::flows_timed_out);
  if (state == FlowState::kUdpUnanswered) core.backend(flow).unanswered.add();
  if (!is_udp(state)) core.backend(flow).timeouts.add();  // silence is how UDP ends
  end_flow(core, index, FlowEnd::timed_out);
}

}  // namespace sluice
