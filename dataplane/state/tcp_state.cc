// SPDX-License-Identifier: BSD-3-Clause
// From segments to events.
#include "dataplane/state/tcp_state.h"

namespace sluice {
namespace {

using net::serial_after;
using net::serial_at_or_after;
using net::serial_max;
using net::serial_within;
namespace flag = net::tcp_flag;

// A zero-window probe may carry one byte beyond the edge (RFC 9293, section 3.8.6.1).
constexpr uint32_t kProbe = 1;

uint32_t window_of(const net::TcpHeader& tcp, uint8_t scale) {
  return uint32_t{tcp.window.host()} << scale;
}

}  // namespace

void TcpTrack::open(const net::Packet& syn, uint8_t window_scale, bool has_window_scale) {
  const uint32_t beyond_syn = syn.tcp->sequence.host() + 1;
  uint32_t end = syn.sequence_end();
  // Sent again it may lack the data that it carried first (RFC 7413); the answer may be to either.
  if (is_same_syn(syn.tcp->sequence.host())) end = serial_max(end, client_.end);
  client_ = {end, end, beyond_syn};
  backend_ = {0, 0, 0};
  client_acked_ = 0;
  backend_acked_ = beyond_syn;
  client_scale_ = has_window_scale ? window_scale : uint8_t{0};
  backend_scale_ = 0;
  backend_.edge = syn.tcp->window.host();  // relative until the SYN-ACK gives the origin
  state_ = TcpState::kSynSent;
}

void TcpTrack::answer(const net::Packet& syn_ack, uint8_t window_scale, bool has_window_scale) {
  const uint32_t end = syn_ack.sequence_end();
  const uint32_t first_window = backend_.edge;
  backend_ = {end, end + first_window, end};
  client_acked_ = syn_ack.tcp->sequence.host() + 1;
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

TcpEvent TcpTrack::fin_progress() const {
  const bool both = state_ == TcpState::kClientFirst || state_ == TcpState::kBackendFirst;
  return both && serial_at_or_after(backend_acked_, client_.fin) &&
                 serial_at_or_after(client_acked_, backend_.fin)
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

TcpReading TcpTrack::inbound(const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  const uint32_t sequence = tcp.sequence.host();
  if (tcp.has(flag::kRst)) {
    return read_reset(sequence, backend_acked_, client_, TcpEvent::kClientRst);
  }
  if (tcp.has(flag::kSyn)) return {};
  const uint32_t end = sequence + packet.sequence_length();
  const bool acceptable = serial_within(end, backend_acked_, client_.edge + kProbe);
  if (acceptable) client_.end = serial_max(client_.end, end);

  TcpEvent event = TcpEvent::kNone;
  if (tcp.has(flag::kAck)) {
    const uint32_t ack = tcp.acknowledgement.host();
    if (serial_within(ack, client_acked_, backend_.end)) {
      client_acked_ = ack;
      backend_.edge = serial_max(backend_.edge, ack + window_of(tcp, client_scale_));
      if (state_ == TcpState::kSynReceived) event = TcpEvent::kAck;
    }
  }
  if (tcp.has(flag::kFin) && acceptable && !client_fin_seen()) {
    client_.fin = end;
    advance(event);
    return {TcpEvent::kClientFin, true};
  }
  return {event != TcpEvent::kNone ? event : fin_progress(), acceptable};
}

TcpReading TcpTrack::outbound(const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  const uint32_t sequence = tcp.sequence.host();
  if (tcp.has(flag::kRst)) {
    return read_reset(sequence, client_acked_, backend_, TcpEvent::kBackendRst);
  }
  if (tcp.has(flag::kSyn)) return {};
  const uint32_t end = sequence + packet.sequence_length();
  const bool acceptable = serial_within(end, client_acked_, backend_.edge + kProbe);
  if (acceptable) backend_.end = serial_max(backend_.end, end);

  if (tcp.has(flag::kAck)) {
    const uint32_t ack = tcp.acknowledgement.host();
    if (serial_within(ack, backend_acked_, client_.end)) {
      backend_acked_ = ack;
      client_.edge = serial_max(client_.edge, ack + window_of(tcp, backend_scale_));
    }
  }
  if (tcp.has(flag::kFin) && acceptable && !backend_fin_seen()) {
    backend_.fin = end;
    const bool acking = state_ == TcpState::kClientClosed && tcp.has(flag::kAck) &&
                        serial_at_or_after(tcp.acknowledgement.host(), client_.fin);
    return {acking ? TcpEvent::kBackendFinAcking : TcpEvent::kBackendFin, true};
  }
  return {fin_progress(), acceptable};
}

}  // namespace sluice
