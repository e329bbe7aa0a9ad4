// SPDX-License-Identifier: BSD-3-Clause
// The backend's handshake in its client's name, and the numbers in between.
#include "dataplane/stage/splice.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/net/segment.h"
#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/cookie_clock.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/heal.h"
#include "dataplane/stage/lifecycle.h"
#include "dataplane/stage/made_syn.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/proxy_header.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {

namespace flag = net::tcp_flag;

namespace {

/// NOP NOP TS, or nothing.
class TimestampsOption {
 public:
  TimestampsOption(bool wanted, uint32_t tsval, uint32_t tsecr) : length_(wanted ? 12 : 0) {
    const net::be32 words[] = {net::be32::from_host(tsval), net::be32::from_host(tsecr)};
    std::memcpy(&bytes_[4], words, sizeof words);
  }
  std::span<const uint8_t> bytes() const { return {bytes_.data(), length_}; }

 private:
  std::array<uint8_t, 12> bytes_{1, 1, 8, 10};
  size_t length_;
};

void send_made(Core& core, const net::SegmentFields& fields, NextHop& hop) {
  const uint16_t length = net::segment_frame_length(fields);
  rte_mbuf* packet = core.tx.allocate(length);
  if (packet == nullptr) return;
  net::write_segment({rte_pktmbuf_mtod(packet, uint8_t*), length}, fields);
  core.send(packet, fields.destination.ip, hop);
}

void acknowledge_backend(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  const TimestampsOption timestamps(flow.timestamps, flow.ts_recent,
                                    core.splice(index).tsval_first);
  send_made(core,
            {.source = core.local(flow),
             .destination = core.backend_address(flow),
             .sequence = flow.tcp.backend_expects(),
             .acknowledgement = flow.tcp.client_expects(),
             .flags = flag::kAck,
             .window = flow.tcp.client_window(),
             .options = timestamps.bytes()},
            core.backend(flow).next_hop);
}

/// The client's newest TSval as it sent it.
uint32_t client_tsval(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  return flow.rewrite_timestamps ? core.clock_map(index).to_client(flow.ts_recent)
                                 : flow.ts_recent - flow.adjust.timestamp;
}

/// `window`: in bytes.
void open_window(Core& core, uint32_t index, uint32_t window) {
  Flow& flow = core.flows[index];
  const Splice& splice = core.splice(index);
  const TimestampsOption timestamps(flow.timestamps, splice.tsval_first + splice.timestamp,
                                    client_tsval(core, index));
  send_made(core,
            {.source = core.vip(flow),
             .destination = core.client(flow),
             .sequence = splice.cookie + 1,
             .acknowledgement = flow.bounds.client_first - flow.adjust.sequence,
             .flags = flag::kAck,
             .window = static_cast<uint16_t>(window >> splice.told_scale),
             .options = timestamps.bytes()},
            flow.to_client);
}

void resend_syn(Core& core, uint32_t index) {
  Segment syn;
  if (!copy_syn(core, core.flows[index], syn)) return;
  if (core.splice(index).tries > 2) move_unanswered(core, index, syn);
  begin_handshake(core, index, syn);
  send_made_syn(core, index, syn);
}

}  // namespace

void complete_splice(Core& core, uint32_t index, const Segment& syn_ack) {
  Flow& flow = core.flows[index];
  Splice& splice = core.splice(index);
  const net::TcpHeader& tcp = *syn_ack.packet.tcp;
  splice.sequence = splice.cookie - tcp.sequence.host();
  if (const uint8_t at = net::find_timestamps(tcp)) {
    splice.tsval_first = net::tcp_word_at(tcp, at).host();
    splice.timestamp = cookie_clock(core) - splice.tsval_first;
  }
  splice.is_open = true;
  flow.tcp.advance(TcpEvent::kAck);
  flow.last_seen_ms = core.now32();
  enter_state(core, index, FlowState::kSynSent, TcpEvent::kAck, syn_ack);
  const uint32_t window = tcp.window.host();
  acknowledge_backend(core, index);
  if (!flow.has_proxy_header()) return open_window(core, index, window);
  const uint16_t header = core.proxy_track(index).length;
  begin_proxy_header(core, index, splice.tsval_first);
  open_window(core, index, window - std::min<uint32_t>(window, header));
}

void splice_overdue(Core& core, uint32_t index) {
  Splice& splice = core.splice(index);
  if (core.now32() - splice.sent_ms < splice.retry_ms()) return hasten_splice(core, index);
  Flow& flow = core.flows[index];
  core.backend(flow).unanswered.add();
  if (splice.tries == Splice::kTriesMax) {
    core.count(Event::flows_timed_out);
    core.backend(flow).timeouts.add();
    return end_flow(core, index, FlowEnd::timed_out);
  }
  ++splice.tries;
  splice.sent_ms = core.now32();
  core.count(Event::syns_retransmitted);
  if (flow.syn_slot != SynStore::kNone) resend_syn(core, index);
  hasten_splice(core, index);
}

}  // namespace sluice
