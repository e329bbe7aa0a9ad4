// SPDX-License-Identifier: BSD-3-Clause
// Sending a PROXY header, and hiding it.
#include "dataplane/stage/proxy_header.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/segment.h"
#include "dataplane/net/serial.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/forward.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/idle_limit.h"
#include "dataplane/stage/proxy_fields.h"
#include "dataplane/stage/resets.h"

namespace sluice {

using net::Verdict;
using Step = ProxyTrack::Step;
namespace flag = net::tcp_flag;

namespace {

constexpr uint16_t kMssMin = 64;  // what less a backend says is not heeded
constexpr uint8_t kTimestampsLength = 12;
// A backend that keeps bytes behind the header has not got it, unless they overtook each other.
constexpr uint32_t kReorderMs = 3;

/// NOP NOP TS, or nothing.
struct Timestamps {
  std::array<uint8_t, kTimestampsLength> bytes{1, 1, 8, 10};
  uint8_t length = 0;
};
Timestamps timestamps_of(const Flow& flow, const ProxyTrack& track) {
  Timestamps timestamps;
  if (!flow.timestamps) return timestamps;
  const net::be32 words[] = {net::be32::from_host(flow.ts_recent),
                             net::be32::from_host(track.tsecr)};
  std::memcpy(&timestamps.bytes[4], words, sizeof words);
  timestamps.length = kTimestampsLength;
  return timestamps;
}

/// As much of the header as is not acknowledged and the backend's window takes, a byte at least.
void send_header(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  ProxyTrack& track = core.proxy_track(index);
  net::ProxyHeader header;
  net::write_proxy_header(proxy_form(core, index).version, proxy_fields(core, index), header);
  const uint32_t begin = flow.bounds.client_first - track.length;
  const uint32_t acknowledged = flow.tcp.backend_expects() - begin;
  const auto window = static_cast<int32_t>(flow.tcp.client_right_edge() - begin);
  const uint32_t end =
      std::min<uint32_t>(track.length, std::max(window, static_cast<int32_t>(acknowledged) + 1));
  const Timestamps timestamps = timestamps_of(flow, track);
  const uint32_t size = track.mss - timestamps.length;
  for (uint32_t at = acknowledged, next; at < end; at = next) {
    next = std::min(at + size, end);
    const net::SegmentFields fields{.source = core.local(flow),
                                    .destination = core.backend_address(flow),
                                    .sequence = begin + at,
                                    .acknowledgement = flow.tcp.client_expects(),
                                    .flags = flag::kAck | flag::kPsh,
                                    .window = flow.tcp.client_window(),
                                    .options = {timestamps.bytes.data(), timestamps.length},
                                    .payload = {header.data() + at, next - at}};
    const uint16_t length = net::segment_frame_length(fields);
    rte_mbuf* packet = core.tx.allocate(length);
    if (packet == nullptr) break;
    net::write_segment({rte_pktmbuf_mtod(packet, uint8_t*), length}, fields);
    core.send(packet, fields.destination.ip, core.backend(flow).next_hop);
  }
  track.sent_ms = core.now32();
}

void send_first(Core& core, uint32_t index) {
  core.count(Event::proxy_headers_sent);
  core.proxy_track(index).tries = 1;
  send_header(core, index);
  hasten_header(core, index);
}

void send_again(Core& core, uint32_t index) {
  core.count(Event::proxy_headers_resent);
  send_header(core, index);
}

/// From here on the header is part of the flow's numbers.
void insert_header(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  ProxyTrack& track = core.proxy_track(index);
  core.flows.retract(index);
  flow.tcp.insert(flow.bounds, track.length);
  flow.adjust.sequence += track.length;
  track.step = Step::kSent;
  core.flows.commit(index);
}

/// What only says how far the backend has come.
bool is_pure(const net::Packet& packet) {
  using namespace net::tcp_flag;
  return packet.payload_length() == 0 && !packet.tcp->has(kSyn | kFin | kRst);
}

}  // namespace

void plan_proxy_header(Core& core, uint32_t index, uint16_t form) {
  choose_proxy_form(core, index, form);
  core.proxy_track(index).step = Step::kDue;
  core.flows[index].adjusted = true;
}

void note_header_mss(Core& core, uint32_t index, const net::TcpHeader& syn_ack) {
  constexpr uint16_t kMssDefault = 536;
  ProxyTrack& track = core.proxy_track(index);
  track.mss = kMssDefault;
  if (const uint8_t at = net::parse_tcp_options(syn_ack).mss_offset) {
    net::be16 mss;
    std::memcpy(&mss, reinterpret_cast<const uint8_t*>(&syn_ack) + at, sizeof mss);
    track.mss = std::max(mss.host(), kMssMin);
  }
}

bool follow_header(Core& core, uint32_t index, const net::TcpHeader& tcp) {
  ProxyTrack& track = core.proxy_track(index);
  if (track.step > Step::kSent || tcp.has(flag::kRst)) return false;
  if (const uint8_t at = net::find_timestamps(tcp)) {
    track.tsecr = net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
  }
  const FlowState state = core.flows[index].state();
  return track.step == Step::kDue && !is_opening(state) && !is_closed(state);
}

void begin_proxy_header(Core& core, uint32_t index, uint32_t tsecr) {
  core.proxy_track(index).tsecr = tsecr;
  insert_header(core, index);
  send_first(core, index);
}

Verdict forward_with_header(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  net::TcpHeader& tcp = *segment.packet.tcp;
  flow.last_seen_ms = core.now32();
  insert_header(core, index);
  if (segment.packet.sequence_length() > 0) {
    send_first(core, index);
    net::add_to_sequence(tcp, core.proxy_track(index).length);
    return forward_to_backend(core, flow, segment, tcp);
  }
  const Verdict verdict = forward_to_backend(core, flow, segment, tcp);
  send_first(core, index);
  return verdict;
}

bool absorb_for_header(Core& core, uint32_t index, Segment& segment) {
  Flow& flow = core.flows[index];
  ProxyTrack& track = core.proxy_track(index);
  if (track.step != Step::kSent || is_closed(flow.state())) return false;
  if (net::serial_at_or_after(flow.tcp.backend_expects(), flow.bounds.client_first)) {
    track.step = Step::kAcked;
    core.flow_timers.set(index, core.now_ms + idle_limit_ms(core, flow));
    return false;
  }
  if (flow.answer_due || !is_pure(segment.packet)) return false;
  if (net::parse_tcp_options(*segment.packet.tcp).sack_offset != 0 &&
      core.now32() - track.sent_ms >= kReorderMs) {
    send_again(core, index);
  }
  core.count(Event::proxy_acks_absorbed);
  rte_pktmbuf_free(segment.buffer);
  return true;
}

void reset_before_header(Core& core, uint32_t index) {
  if (is_header_pending(core, index)) reset_backend(core, core.flows[index]);
}

void header_overdue(Core& core, uint32_t index) {
  ProxyTrack& track = core.proxy_track(index);
  const uint32_t since = core.now32() - track.sent_ms;
  if (since < track.retry_ms()) return hasten_header(core, index);
  if (track.tries == ProxyTrack::kTriesMax) {
    core.count(Event::proxy_headers_unanswered);
    return end_flow(core, index, FlowEnd::header_unanswered);
  }
  ++track.tries;
  send_again(core, index);
  hasten_header(core, index);
}

}  // namespace sluice
