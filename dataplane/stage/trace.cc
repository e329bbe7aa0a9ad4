// SPDX-License-Identifier: BSD-3-Clause
// Copies for a trace.
#include "dataplane/stage/trace.h"

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/core.h"

namespace sluice {
namespace {

TraceSegment header_of(const Segment& segment) {
  TraceSegment header{};
  header.source = segment.source();
  header.destination = segment.destination();
  header.ttl = segment.packet.hop_limit();
  if (segment.packet.kind == net::Packet::Kind::kUdp) {
    header.payload_bytes = segment.packet.udp_payload_length();
    return header;
  }
  const net::TcpHeader& tcp = *segment.packet.tcp;
  header.sequence = tcp.sequence.host();
  header.acknowledgement = tcp.acknowledgement.host();
  header.window = tcp.window.host();
  header.payload_bytes = segment.packet.payload_length();
  header.flags = tcp.flags;
  if (const uint8_t at = net::find_timestamps(tcp)) {
    header.timestamps = true;
    header.tsval = net::tcp_word_at(tcp, at).host();
    header.tsecr = net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
  }
  return header;
}

std::optional<TraceFlow> flow_of(const Core& core, const FlowName& name) {
  if (name.service == kNoId) return {};
  const uint32_t index = core.flows.find(name);
  if (index == FlowTable::kNone) return {};
  const Flow& flow = core.flows[index];
  return TraceFlow{core.local(flow), core.backend_address(flow), flow.adjust,       flow.state(),
                   flow.reuse,       flow.rewrite_timestamps,    flow.heal_attempts};
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
  record.taken_over = core.taken_over;
  record.in = header_of(segment);
  record.before = flow_of(core, subject.name);
  return counts_of(core);
}

void end_trace(const Core& core, const Segment& segment, const TraceSubject& subject,
               const EventCounts& before, net::Verdict verdict, TraceRecord& record) {
  const EventCounts now = counts_of(core);
  for (size_t i = 0; i < now.size(); ++i) {
    record.events |= uint64_t{now[i] != before[i]} << i;
  }
  record.after = flow_of(core, subject.name);
  record.verdict = verdict;
  if (verdict == net::Fate::kSent) record.out = header_of(segment);
}

}  // namespace sluice
