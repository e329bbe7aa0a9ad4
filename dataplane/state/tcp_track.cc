// SPDX-License-Identifier: BSD-3-Clause
// From segments to events.
#include "dataplane/state/tcp_track.h"

#include <algorithm>
#include <optional>

#include "dataplane/state/kept_state.h"

namespace sluice {
namespace {

using net::serial_after;
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

void TcpTrack::open(TcpBounds& bounds, const net::Packet& syn, uint8_t window_scale,
                    bool has_window_scale) {
  const uint32_t beyond_syn = syn.tcp->sequence.host() + 1;
  uint32_t end = syn.sequence_end();
  // Sent again it may lack the data that it carried first (RFC 7413); the answer may be to either.
  if (is_same_syn(bounds, syn.tcp->sequence.host())) end = serial_max(end, client_.snd_nxt);
  bounds = {};
  bounds.client_first = beyond_syn;
  bounds.client_wraps = end < beyond_syn;
  client_ = {.snd_nxt = end, .snd_una = beyond_syn, .right_edge = end};
  backend_ = {};
  scales_ = has_window_scale ? window_scale : uint8_t{0};
  backend_.right_edge = syn.tcp->window.host();  // relative until the SYN-ACK gives the origin
  state_ = FlowState::kSynSent;
}

void TcpTrack::answer(TcpBounds& bounds, const net::Packet& syn_ack, uint8_t window_scale,
                      bool has_window_scale) {
  const uint32_t end = syn_ack.sequence_end();
  const uint32_t first_window = backend_.right_edge;
  backend_ = {.snd_nxt = end,
              .snd_una = syn_ack.tcp->sequence.host() + 1,
              .right_edge = end + first_window};
  bounds.backend_first = backend_.snd_una;
  bounds.backend_wraps = end < backend_.snd_una;
  client_.snd_una = syn_ack.tcp->acknowledgement.host();
  client_.right_edge =
      client_.snd_una + syn_ack.tcp->window.host();  // not scaled on SYN (RFC 7323, 2.2)
  // Either both scale or none does.
  scales_ = has_window_scale ? static_cast<uint8_t>(scales_ | window_scale << 4) : uint8_t{0};
  window_high_[0] = high_byte(first_window >> client_scale());
  window_high_[1] = high_byte(uint32_t{syn_ack.tcp->window.host()} >> backend_scale());
  store_barrier();  // who finds a flow with an answer finds all of the answer
  advance(TcpEvent::kSynAck);
}

void TcpTrack::insert(TcpBounds& bounds, uint32_t length) {
  bounds.client_first += length;
  bounds.client_fin += length;  // says nothing before the FIN
  client_.snd_nxt += length;
  bounds.client_wraps = client_.snd_nxt < bounds.client_first;
}

uint16_t TcpTrack::client_window() const {
  const auto left = static_cast<int32_t>(backend_.right_edge - backend_.snd_una);
  const uint32_t field = static_cast<uint32_t>(std::max(left, 0)) >> client_scale();
  return static_cast<uint16_t>(std::min<uint32_t>(field, UINT16_MAX));
}

bool TcpTrack::client_fin_seen() const {
  return state_ == FlowState::kClientClosed || both_closed(state_);
}

bool TcpTrack::backend_fin_seen() const {
  return state_ == FlowState::kBackendClosed || both_closed(state_);
}

// A connection that was reset is over as well, but perhaps without a FIN to take off.
uint64_t TcpTrack::client_bytes(const TcpBounds& bounds) const {
  const bool fin = client_fin_seen() && client_.snd_nxt == bounds.client_fin;
  return bytes_between(bounds.client_first, client_.snd_nxt, bounds.client_wraps, fin);
}

uint64_t TcpTrack::backend_bytes(const TcpBounds& bounds) const {
  if (state_ == FlowState::kSynSent) return 0;
  const bool fin = backend_fin_seen() && backend_.snd_nxt == bounds.backend_fin;
  return bytes_between(bounds.backend_first, backend_.snd_nxt, bounds.backend_wraps, fin);
}

TcpEvent TcpTrack::fin_progress(const TcpBounds& bounds) const {
  const bool both = state_ == FlowState::kClientFirst || state_ == FlowState::kBackendFirst;
  return both && serial_at_or_after(client_.snd_una, bounds.client_fin) &&
                 serial_at_or_after(backend_.snd_una, bounds.backend_fin)
             ? TcpEvent::kFinsAcked
             : TcpEvent::kNone;
}

/// Takes over what the receiver would; false, and nothing moves, if that is nothing.
bool TcpTrack::follow(const net::Packet& packet, const Sides& sides) {
  const net::TcpHeader& tcp = *packet.tcp;
  const uint32_t end = packet.sequence_end();
  const uint32_t ack = tcp.acknowledgement.host();
  // Until the handshake is done, nothing else than the SYN-ACK can be acknowledged.
  const uint32_t late = state_ == FlowState::kSynReceived ? 0 : window_max(sides);
  if (!ends_in_window(end, sides) ||
      !serial_within(ack, sides.receiver.snd_una - late, sides.receiver.snd_nxt)) {
    return false;
  }
  raise(sides.sender.snd_nxt, end, sides.wraps);
  if (!serial_within(ack, sides.receiver.snd_una, sides.receiver.snd_nxt))
    return true;  // overtaken by a newer one
  const uint32_t window = tcp.window.host();
  sides.receiver.snd_una = ack;
  sides.receiver.right_edge = serial_max(sides.receiver.right_edge, ack + (window << sides.scale));
  sides.window_high = std::max(sides.window_high, high_byte(window));
  return true;
}

/// The backend had forgotten its first SYN-ACK when the SYN came again, and the client acknowledges
/// the later one.
void TcpTrack::take_later_answer(TcpBounds& bounds) {
  const uint32_t window = backend_.right_edge - backend_.snd_una;
  backend_.snd_una = backend_.snd_nxt = bounds.backend_first = bounds.backend_fin;
  backend_.right_edge = backend_.snd_una + window;
  bounds.backend_wraps = 0;
}

namespace {

/// A RST ends the flow only at what its receiver expects: what it acknowledged last, or, while that
/// is under way, all that was sent to it. Linux also takes the number of the FIN itself
/// (tcp_reset_check(): what a Mac sends). Elsewhere in the window it is passed on, and the receiver
/// answers it with a challenge ACK, which brings a RST at the right number if it was no stranger's
/// (RFC 5961, section 3).
TcpReading read_reset(uint32_t sequence, uint32_t expected, const TcpSide& sender,
                      std::optional<uint32_t> fin_end, TcpEvent event) {
  if (sequence == expected || sequence == sender.snd_nxt || (fin_end && sequence + 1 == *fin_end)) {
    return {event, true};
  }
  const uint32_t edge = serial_max(sender.right_edge, sender.snd_nxt);
  return {TcpEvent::kNone, serial_within(sequence, expected, edge)};
}

std::optional<uint32_t> value_if(bool known, uint32_t value) {
  return known ? std::optional(value) : std::nullopt;
}

}  // namespace

TcpReading TcpTrack::inbound(TcpBounds& bounds, const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  if (tcp.has(flag::kRst)) {
    return read_reset(tcp.sequence.host(), client_.snd_una, client_,
                      value_if(client_fin_seen(), bounds.client_fin), TcpEvent::kClientRst);
  }
  if (!carries_progress(tcp)) return {};
  if (state_ == FlowState::kSynReceived && bounds.backend_fin != 0 &&
      tcp.acknowledgement.host() == bounds.backend_fin) {
    take_later_answer(bounds);
  }
  if (!follow(packet, from_client(bounds))) return {};
  const TcpEvent event = state_ == FlowState::kSynReceived ? TcpEvent::kAck : TcpEvent::kNone;
  // A FIN that is new cannot have been acknowledged.
  const uint32_t end = packet.sequence_end();
  if (tcp.has(flag::kFin) && !client_fin_seen() && serial_after(end, client_.snd_una)) {
    bounds.client_fin = end;
    advance(event);
    return {TcpEvent::kClientFin, true};
  }
  return {event != TcpEvent::kNone ? event : fin_progress(bounds), true};
}

TcpReading TcpTrack::outbound(TcpBounds& bounds, const net::Packet& packet) {
  const net::TcpHeader& tcp = *packet.tcp;
  if (tcp.has(flag::kRst)) {
    return read_reset(tcp.sequence.host(), backend_.snd_una, backend_,
                      value_if(backend_fin_seen(), bounds.backend_fin), TcpEvent::kBackendRst);
  }
  if (tcp.has(flag::kSyn)) {
    const bool answers = state_ == FlowState::kSynReceived && tcp.has(flag::kAck);
    const bool again = tcp.sequence.host() + 1 == bounds.backend_first;
    if (answers && !again) bounds.backend_fin = tcp.sequence.host() + 1;
    return {TcpEvent::kNone, answers && again};
  }
  if (!carries_progress(tcp) || !follow(packet, from_backend(bounds))) return {};
  const uint32_t end = packet.sequence_end();
  if (tcp.has(flag::kFin) && !backend_fin_seen() && serial_after(end, backend_.snd_una)) {
    bounds.backend_fin = end;
    const bool acking = state_ == FlowState::kClientClosed &&
                        serial_at_or_after(tcp.acknowledgement.host(), bounds.client_fin);
    return {acking ? TcpEvent::kBackendFinAcking : TcpEvent::kBackendFin, true};
  }
  return {fin_progress(bounds), true};
}

}  // namespace sluice
