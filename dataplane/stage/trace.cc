// SPDX-License-Identifier: BSD-3-Clause
// Copies for a trace.
#include "dataplane/stage/trace.h"

#include "dataplane/stage/core.h"
#include "dataplane/stage/packet_views.h"

namespace sluice {
namespace {

std::optional<FlowView> flow_of(const Core& core, const FlowName& name) {
  if (name.service == kNoId) return {};
  const uint32_t index = core.flows.find(name);
  if (index == FlowTable::kNone) return {};
  return view_of(core, core.flows[index]);
}

EventCounts counts_of(const Core& core) {
  EventCounts counts;
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = core.counters.events[i].value();
  return counts;
}

}  // namespace

EventCounts begin_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
                        uint16_t interface, TraceRecord& record) {
  record = {};
  record.wall_clock_ms = core.wall_clock.at(core.now_ms);
  record.now_us = core.now_us;
  record.interface = interface;
  record.protocol = subject.protocol;
  record.from_client = segment.source() == subject.client;
  record.taken_over = core.taken_over();
  record.in = view_of(segment);
  record.before = flow_of(core, subject.name);
  return counts_of(core);
}

void end_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
               const EventCounts& before, net::Verdict verdict, TraceRecord& record) {
  const EventCounts now = counts_of(core);
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] != before[i]) record.events.set(i);
  }
  record.after = flow_of(core, subject.name);
  record.verdict = verdict;
  if (verdict == net::Fate::kSent) record.out = view_of(segment);
}

}  // namespace sluice
