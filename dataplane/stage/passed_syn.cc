// SPDX-License-Identifier: BSD-3-Clause
// SYNs that the backend must judge.
#include "dataplane/stage/passed_syn.h"

#include "dataplane/net/rewrite.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/configured_backend.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/mss_clamp.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/seq_adjust.h"

namespace sluice {
namespace {

constexpr uint32_t kSinceMask = (1u << 23) - 1;

uint32_t since(const Core& core, const PassedSyn& passed) {
  return (core.now32() - passed.since_ms) & kSinceMask;
}

void stamp(const Core& core, PassedSyn& passed, bool answered) {
  passed.since_ms = core.now32() & kSinceMask;
  passed.answered = answered;
}

/// Whether it is to go with the balancer's clock: as a new flow's would.
bool is_rewritten(const Core& core, const Flow& flow) {
  const ServiceView* service = core.snapshot->find_service(flow.key.service);
  return service != nullptr ? service->rewrite_timestamps : flow.rewrite_timestamps;
}

}  // namespace

SynFate meet_other_syn(Core& core, uint32_t index, Segment& syn) {
  Flow& flow = core.flows[index];
  net::TcpHeader& tcp = *syn.packet.tcp;
  const SynNumbers numbers = syn_numbers(tcp);
  // A late copy of the flow's own SYN tells nothing.
  const bool own = numbers.sequence + flow.adjust.sequence + 1 == flow.bounds.client_first;
  PassedSyn& passed = flow.passed;
  const bool waits = flow.answer_due && passed.answered == 0;
  if (!own && waits && since(core, passed) >= kSynRepeatMs && is_retired(core, flow)) {
    return SynFate::kBeginAnew;
  }
  core.count(Event::syns_passed);
  const bool rewritten = is_rewritten(core, flow) && numbers.timestamps;
  if (!own) {
    // Stacks do not answer every SYN: after an answer their silence means nothing for a while.
    const bool answered_lately = passed.answered != 0 && since(core, passed) < kSynRepeatMs;
    if (!waits && !answered_lately) stamp(core, passed, false);
    const net::TcpOptions options = net::parse_tcp_options(tcp);
    passed.sequence = numbers.sequence;
    passed.tsval = numbers.tsval;
    passed.window_scale = options.window_scale & 15;
    passed.has_window_scale = options.has_window_scale;
    passed.timestamps = numbers.timestamps;
    passed.rewritten = rewritten;
    flow.answer_due = true;
    flow.adjusted = true;  // keeps it off the short path
  }
  if (flow.has_proxy_header()) take_data_off_syn(syn);
  adjust_passed_syn(core, flow, rewritten, tcp);
  // Its own stood in front of the header.
  if (own && flow.has_proxy_header()) net::add_to_sequence(tcp, 0 - header_in_flow(core, index));
  clamp_mss(core, flow, tcp);
  return SynFate::kPass;
}

bool answers_passed_syn(const Flow& flow, const net::TcpHeader& tcp) {
  using namespace net::tcp_flag;
  return flow.answer_due && tcp.has(kAck) && tcp.has(kSyn | kRst) &&
         tcp.acknowledgement.host() == flow.passed.sequence + flow.adjust.sequence + 1;
}

void note_backend_lives(const Core& core, Flow& flow, bool is_news) {
  stamp(core, flow.passed, true);
  if (!is_news) return;
  flow.answer_due = false;
  flow.adjusted = flow.is_adjusted();
}

}  // namespace sluice
