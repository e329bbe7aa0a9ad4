// SPDX-License-Identifier: BSD-3-Clause
// Resets of our own.
#include "dataplane/stage/resets.h"

#include <utility>

#include "dataplane/net/segment.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {
namespace {

/// In `packet`, a buffer of reset_frame_length() bytes.
void send_reset_in(Core& core, rte_mbuf* packet, const net::ResetFields& fields, NextHop& hop,
                   Event counted) {
  net::write_reset({rte_pktmbuf_mtod(packet, uint8_t*), packet->data_len}, fields);
  core.count(counted);
  core.send(packet, fields.destination.ip, hop);
}

void send_reset(Core& core, const net::ResetFields& fields, NextHop& hop, Event counted) {
  rte_mbuf* packet = core.tx.allocate(net::reset_frame_length(fields.source.ip));
  if (packet != nullptr) send_reset_in(core, packet, fields, hop, counted);
}

}  // namespace

void reset_backend(Core& core, Flow& flow) {
  reset_backend_at(core, flow, flow.tcp.backend_expects());
}

void reset_backend_at(Core& core, Flow& flow, uint32_t sequence) {
  reset_tuple(core, flow, core.local(flow), sequence);
}

void reset_tuple(Core& core, Flow& flow, const net::Endpoint& local, uint32_t sequence) {
  send_reset(core, {local, core.backend_address(flow), sequence, 0, false},
             core.backend(flow).next_hop, Event::resets_to_backends);
}

void reset_client(Core& core, Flow& flow) {
  const bool unanswered = flow.tcp.state() == FlowState::kSynSent;
  const uint32_t acknowledgement = flow.tcp.client_snd_nxt() - flow.adjust.sequence;
  uint32_t sequence = unanswered ? 0 : flow.tcp.client_expects();
  if (flow.is_spliced()) [[unlikely]]
    sequence = client_view(core, flow, sequence);
  send_reset(core, {core.vip(flow), core.client(flow), sequence, acknowledgement, true},
             flow.to_client, Event::resets_to_clients);
}

void reset_both(Core& core, const Flow& flow, const FlowEnds& ends) {
  NextHop to_client, to_backend;
  const uint32_t acknowledgement = flow.tcp.client_snd_nxt() - flow.adjust.sequence;
  send_reset(core, {ends.vip, ends.client, flow.tcp.backend_snd_nxt(), acknowledgement, true},
             to_client, Event::resets_to_clients);
  send_reset(core, {ends.local, ends.backend, flow.tcp.client_snd_nxt(), 0, false}, to_backend,
             Event::resets_to_backends);
}

void answer_with_reset(Core& core, Segment& segment, Event counted) {
  if (segment.packet.tcp->has(net::tcp_flag::kRst)) return;
  const net::ResetFields answer = net::reset_answer(segment.packet);
  rte_mbuf* packet = std::exchange(segment.buffer, nullptr);
  core.count(Event::packets_made);  // in the place of one that is dropped
  packet->data_len = net::reset_frame_length(answer.source.ip);
  packet->pkt_len = packet->data_len;
  NextHop hop;
  send_reset_in(core, packet, answer, hop, counted);
}

}  // namespace sluice
