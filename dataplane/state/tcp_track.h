// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a TCP connection as they go by, and what a segment means to it: from segments to
// the events of kTransitions.
//
// All sequence numbers are the backend's view (after a fit's shift). What follows the numbers of
// segments in the middle of a connection is in line: nearly every packet is one.
#pragma once

#include <cstdint>

#include "dataplane/net/parse.h"
#include "dataplane/net/serial.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

/// One end's numbers.
struct TcpSide {
  uint32_t end;   // beyond the newest byte it sent (its SND.NXT as seen here)
  uint32_t edge;  // beyond the last byte that its peer allows it to send
};

/// What only the beginning and the end of a connection ask for. It stands apart from TcpTrack so
/// that segments in between need not load it.
struct TcpMarks {
  uint32_t client_first;  // first byte of each side: beyond its SYN
  uint32_t backend_first;
  uint32_t client_fin;  // beyond its FIN, once the state says that it was sent
  uint32_t backend_fin;
  uint16_t client_wraps;  // how often each side's sequence numbers passed zero
  uint16_t backend_wraps;
};
static_assert(sizeof(TcpMarks) == 20);

/// What a segment means to its flow.
struct TcpReading {
  TcpEvent event = TcpEvent::kNone;
  bool in_window = false;  // for a RST: may be passed on
};

class TcpTrack {
 public:
  /// What became of a segment's numbers.
  struct Followed {
    bool acceptable;    // it ends inside the window
    bool acknowledges;  // what was sent and not yet acknowledged, or what was acknowledged last
  };

  /// A flow begins with the client's SYN, as it goes to the backend.
  void open(TcpMarks& marks, const net::Packet& syn, uint8_t window_scale, bool has_window_scale);

  /// The backend's SYN-ACK, whose acknowledgement was checked with answers_syn().
  void answer(TcpMarks& marks, const net::Packet& syn_ack, uint8_t window_scale,
              bool has_window_scale);

  /// Data on a SYN (RFC 7413) may be acknowledged or not.
  bool answers_syn(uint32_t acknowledgement) const {
    return net::serial_within(acknowledgement, backend_acked_, client_.end);
  }

  /// Whether the backend can acknowledge this: nothing that was not sent, nothing older than the
  /// largest window (RFC 5961, section 5.2). A late segment of an older connection of the tuple
  /// fails this.
  bool acknowledges_possible(const net::TcpHeader& tcp) const {
    const uint32_t window_max =
        state_ == TcpState::kSynReceived ? 0 : uint32_t{65535} << backend_scale_;
    return !tcp.has(net::tcp_flag::kAck) ||
           net::serial_within(tcp.acknowledgement.host(), backend_acked_ - window_max, client_.end);
  }

  /// Reads a segment after the SYN-ACK, takes its numbers over and returns its event. Numbers of
  /// segments outside the window change nothing, so a blind attacker moves no state (RFC 5961).
  TcpReading inbound(TcpMarks& marks, const net::Packet& packet);
  TcpReading outbound(TcpMarks& marks, const net::Packet& packet);

  /// Whether a segment can only be one in the middle of a connection: its event is kNone, and
  /// follow_client() or follow_backend() is all that inbound() or outbound() would do.
  bool is_in_between(const net::TcpHeader& tcp) const {
    using namespace net::tcp_flag;
    return state_ == TcpState::kEstablished && (tcp.flags & (kSyn | kFin | kRst | kAck)) == kAck;
  }
  /// Takes over the numbers of a segment that has ACK and neither SYN nor RST.
  Followed follow_client(TcpMarks& marks, const net::Packet& packet) {
    return follow(packet, client_, client_acked_, client_scale_, marks.client_wraps, backend_,
                  backend_acked_);
  }
  Followed follow_backend(TcpMarks& marks, const net::Packet& packet) {
    return follow(packet, backend_, backend_acked_, backend_scale_, marks.backend_wraps, client_,
                  client_acked_);
  }

  TcpState state() const { return state_; }
  void advance(TcpEvent event) { state_ = next_state(state_, event); }

  /// Whether a SYN is the one that opened the flow, sent again.
  bool is_same_syn(const TcpMarks& marks, uint32_t sequence) const {
    return state_ <= TcpState::kSynReceived && sequence + 1 == marks.client_first;
  }

  /// Next sequence number that the backend expects of the client, as far as it was acknowledged. A
  /// RST with it is taken by RFC 5961 stacks.
  uint32_t backend_expects() const { return backend_acked_; }
  uint32_t client_expects() const { return client_acked_; }
  /// Beyond the newest byte sent to the backend.
  uint32_t client_end() const { return client_.end; }
  uint32_t backend_end() const { return backend_.end; }

  /// Payload that each side sent, retransmissions once.
  uint64_t client_bytes(const TcpMarks& marks) const;
  uint64_t backend_bytes(const TcpMarks& marks) const;

 private:
  bool client_fin_seen() const;
  bool backend_fin_seen() const;
  TcpEvent fin_progress(const TcpMarks& marks) const;
  static TcpReading read_reset(uint32_t sequence, uint32_t expected, const TcpSide& sender,
                               TcpEvent event);

  /// Moves a side's end up to `end`, where that lies beyond it.
  static void raise(uint32_t& newest, uint32_t end, uint16_t& wraps) {
    if (!net::serial_after(end, newest)) return;
    if (end < newest) [[unlikely]] {
      ++wraps;
    }
    newest = end;
  }

  /// `acked` is what the sender acknowledged, `peer_acked` what was acknowledged to it.
  static Followed follow(const net::Packet& packet, TcpSide& sender, uint32_t& acked, uint8_t scale,
                         uint16_t& wraps, TcpSide& peer, uint32_t peer_acked) {
    // A zero-window probe may carry one byte beyond the edge (RFC 9293, section 3.8.6.1).
    constexpr uint32_t kProbe = 1;
    const net::TcpHeader& tcp = *packet.tcp;
    const uint32_t end = packet.sequence_end();
    const bool acceptable = net::serial_within(end, peer_acked, sender.edge + kProbe);
    if (acceptable) raise(sender.end, end, wraps);
    const uint32_t ack = tcp.acknowledgement.host();
    const bool acknowledges = net::serial_within(ack, acked, peer.end);
    if (acknowledges) {
      acked = ack;
      peer.edge = net::serial_max(peer.edge, ack + (uint32_t{tcp.window.host()} << scale));
    }
    return {acceptable, acknowledges};
  }

  TcpSide client_;
  TcpSide backend_;
  uint32_t client_acked_;   // newest byte of the backend that the client acknowledged
  uint32_t backend_acked_;  // newest byte of the client that the backend acknowledged
  uint8_t client_scale_;    // shift of the client's window field
  uint8_t backend_scale_;
  TcpState state_;
};
static_assert(sizeof(TcpTrack) == 28);

}  // namespace sluice
