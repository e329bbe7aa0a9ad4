// SPDX-License-Identifier: BSD-3-Clause
// From segments to events.
#include "dataplane/state/tcp_track.h"

namespace sluice {
namespace {

using net::serial_at_or_after;
using net::serial_max;
using net::serial_within;
namespace flag = net::tcp_flag;

/// After the handshake a receiver takes nothing from a segment without ACK (RFC 9293, section
/// 3.10.7.4, fifth), and answers a SYN with a challenge ACK.
bool carries_progress(const net::TcpHeader& tcp) {
  return tcp.has(flag::kAck) && !tcp.has(flag::kSyn);
}

/// Bytes between a side's SYN and its end, its FIN taken off.
uint64_t bytes_between(uint32_t first, uint32_t end, uint16_t wraps, bool fin_seen) {
  const uint64_t sent = (uint64_t{wraps} << 32) + end - first;
  return sent - (fin_seen && sent > 0);
}

}  // namespace

void TcpTrack::open(TcpMarks& marks, const net::Packet& syn, uint8_t window_scale,
                    bool has_window_scale) {
  const uint32_t beyond_syn = syn.tcp->sequence.host() + 1;
  uint32_t end = syn.sequence_end();
  // Sent again it may lack the data that it carried first (RFC 7413); the answer may be to either.
  if (is_same_syn(marks, syn.tcp->sequence.host())) end = serial_max(end, client_.end);
  marks = {};
  marks.client_first = beyond_syn;
  marks.client_wraps = end < beyond_syn;
  client_ = {end, end};
  backend_ = {0, 0};
  client_acked_ = 0;
  backend_acked_ = beyond_syn;
  client_scale_ = has_window_scale ? window_scale : uint8_t{0};
  backend_scale_ = 0;
  backend_.edge = syn.tcp->window.host();  // relative until the SYN-ACK gives the origin
  state_ = TcpState::kSynSent;
}

void TcpTrack::answer(TcpMarks& marks, const net::Packet& syn_ack, uint8_t window_scale,
                      bool has_window_scale) {
  const uint32_t end = syn_ack.sequence_end();
  const uint32_t first_window = backend_.edge;
  backend_ = {end, end + first_window};
  client_acked_ = syn_ack.tcp->sequence.host() + 1;
  marks.backend_first = client_acked_;
  marks.backend_wraps = end < client_acked_;
  backend_acked_ = syn_ack.tcp->acknowledgement.host();
  client_.edge = backend_acked_ + syn_ack.tcp->window.host();  // not scaled on SYN (RFC 7323, 2.2)
  // Either both scale or none does.
  if (has_window_scale) {
    backend_scale_ = window_scale;
  } else {
    client_scale_ = 0;
  }
  advance(TcpEvent::kSynAck);
}

bool TcpTrack::client_fin_seen() const {
  return state_ == TcpState::kClientClosed || both_closed(state_);
}

bool TcpTrack::backend_fin_seen() const {
  return state_ == TcpState::kBackendClosed || both_closed(state_);
}

// A connection that was reset is over as well, but perhaps without a FIN to take off.
uint64_t TcpTrack::client_bytes(const TcpMarks& marks) const {
  const bool fin = client_fin_seen() && client_.end == marks.client_fin;
  return bytes_between(marks.client_first, client_.end, marks.client_wraps, fin);
}

uint64_t TcpTrack::backend_bytes(const TcpMarks& marks) const {
  if (state_ == TcpState::kSynSent) return 0;
  const bool fin = backend_fin_seen() && backend_.end == marks.backend_fin;
  return bytes_between(marks.backend_first, backend_.end, marks.backend_wraps, fin);
}

TcpEvent TcpTrack::fin_progress(const TcpMarks& marks) const {
  const bool both = state_ == TcpState::kClientFirst || state_ == TcpState::kBackendFirst;
  return both && serial_at_or_after(backend_acked_, marks.client_fin) &&
                 serial_at_or_after(client_acked_, marks.backend_fin)
             ? TcpEvent::kFinsAcked
             : TcpEvent::kNone;
}

/// A RST ends the flow where its receiver surely takes it: between what it acknowledged and what
/// was sent to it. Elsewhere in the window it is passed on and answered with a challenge ACK (RFC
/// 5961, section 3).
TcpReading TcpTrack::read_reset(uint32_t sequence, uint32_t expected, const TcpSide& sender,
                                TcpEvent event) {
  if (serial_within(sequence, expected, sender.end)) return {event, true};
  const uint32_t edge = serial_max(sender.edge, sender.end);
  return {TcpEvent::kNone, serial_within(sequence, expected, edge)};
}

TcpReading TcpTrack::inbound(TcpMarks& marks, const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  if (tcp.has(flag::kRst)) {
    return read_reset(tcp.sequence.host(), backend_acked_, client_, TcpEvent::kClientRst);
  }
  if (!carries_progress(tcp)) return {};
  const auto [acceptable, acknowledges] = follow_client(marks, packet);
  const TcpEvent event =
      acknowledges && state_ == TcpState::kSynReceived ? TcpEvent::kAck : TcpEvent::kNone;
  if (tcp.has(flag::kFin) && acceptable && !client_fin_seen()) {
    marks.client_fin = packet.sequence_end();
    advance(event);
    return {TcpEvent::kClientFin, true};
  }
  return {event != TcpEvent::kNone ? event : fin_progress(marks), acceptable};
}

TcpReading TcpTrack::outbound(TcpMarks& marks, const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  if (tcp.has(flag::kRst)) {
    return read_reset(tcp.sequence.host(), client_acked_, backend_, TcpEvent::kBackendRst);
  }
  if (!carries_progress(tcp)) return {};
  const bool acceptable = follow_backend(marks, packet).acceptable;
  if (tcp.has(flag::kFin) && acceptable && !backend_fin_seen()) {
    marks.backend_fin = packet.sequence_end();
    const bool acking = state_ == TcpState::kClientClosed &&
                        serial_at_or_after(tcp.acknowledgement.host(), marks.client_fin);
    return {acking ? TcpEvent::kBackendFinAcking : TcpEvent::kBackendFin, true};
  }
  return {fin_progress(marks), acceptable};
}

}  // namespace sluice
