// SPDX-License-Identifier: BSD-3-Clause
// Copies for a trace.
#include "dataplane/stage/trace.h"

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/core.h"

namespace sluice {
namespace {

TraceSegment header_of(const Segment& segment) {
  const net::TcpHeader& tcp = *segment.packet.tcp;
  TraceSegment header{};
  header.source = segment.source();
  header.destination = segment.destination();
  header.sequence = tcp.sequence.host();
  header.acknowledgement = tcp.acknowledgement.host();
  header.window = tcp.window.host();
  header.payload_bytes = segment.packet.payload_length();
  header.flags = tcp.flags;
  header.ttl = segment.packet.ip->ttl;
  if (const uint8_t at = net::find_timestamps(tcp)) {
    header.timestamps = true;
    header.tsval = net::tcp_word_at(tcp, at).host();
    header.tsecr = net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
  }
  return header;
}

std::optional<TraceFlow> flow_of(const Core& core, FlowKey key) {
  if (key.service == kNoId) return {};
  const uint32_t index = core.flows.find(key);
  if (index == FlowTable::kNone) return {};
  const Flow& flow = core.flows[index];
  return TraceFlow{
      core.local(flow), core.backend_address(flow), flow.shift,        flow.tcp.state(),
      flow.grant,       flow.rewrite_timestamps,    flow.heal_attempts};
}

TraceCounts counts_of(const Core& core) {
  TraceCounts counts;
  for (size_t i = 0; i < counts.drops.size(); ++i) counts.drops[i] = core.counters.drops[i].value();
  for (size_t i = 0; i < counts.events.size(); ++i) {
    counts.events[i] = core.counters.events[i].value();
  }
  return counts;
}

bool has(const TraceRecord& record, Event event) {
  return (record.events >> static_cast<size_t>(event) & 1) != 0;
}

/// Where the packet is now. A stage that passed it on may yet have lost it on the way out; a packet of
/// our own may have been lost as well, so where it can be found counts first.
TraceFate fate_of(const Core& core, const rte_mbuf* packet, const TraceCounts& before,
                  const TraceCounts& now, net::Verdict verdict, TraceRecord& record) {
  if (!verdict.passed()) {
    record.drop = verdict.reason();
    return TraceFate::kDropped;
  }
  if (core.tx.holds(packet)) return TraceFate::kSent;
  if (core.handoff.holds(packet) || has(record, Event::handed_off)) return TraceFate::kHandedOff;
  if (has(record, Event::packets_to_kernel)) return TraceFate::kToKernel;
  for (size_t i = 0; i < now.drops.size(); ++i) {
    if (now.drops[i] == before.drops[i]) continue;
    record.drop = static_cast<net::DropReason>(i);
    return TraceFate::kDropped;
  }
  return TraceFate::kWaiting;
}

}  // namespace

TraceCounts begin_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
                        uint16_t interface, TraceRecord& record) {
  record = {};
  record.wall_clock_ms = core.wall_clock.at(core.now_ms);
  record.now_us = core.now_us;
  record.interface = interface;
  record.from_client = segment.source() == subject.client;
  record.taken_over = core.taken_over;
  record.in = header_of(segment);
  record.before = flow_of(core, subject.key);
  return counts_of(core);
}

void end_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
               const TraceCounts& before, net::Verdict verdict, TraceRecord& record) {
  const TraceCounts now = counts_of(core);
  for (size_t i = 0; i < now.events.size(); ++i) {
    record.events |= uint64_t{now.events[i] != before.events[i]} << i;
  }
  record.after = flow_of(core, subject.key);
  record.fate = fate_of(core, segment.buffer, before, now, verdict, record);
  if (record.fate == TraceFate::kSent) record.out = header_of(segment);
}

}  // namespace sluice
