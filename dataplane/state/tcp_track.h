// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a TCP connection as they go by, and what a segment means to it: from segments to
// the events of kTransitions.
//
// All sequence numbers are the backend's view (after SeqAdjust). What follows the numbers of
// segments in the middle of a connection is in line: nearly every packet is one.
//
// A segment moves a number, a state or a timer only if its receiver would take it, so that who
// knows a connection's addresses and ports alone moves nothing (RFC 5961, section 5):
//
//   SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT      of the receiver
//   its end lies in the window that the receiver has offered; one byte before it is a keep-alive,
//   one byte beyond it a probe of a window that is closed
//
// Acknowledgement and window are taken over only from one that acknowledges no less than the last.
// SACK moves nothing here. All that reaches either end has come by here, so what an end may have
// received or been offered is never more than what is known here.
#pragma once

#include <cstdint>
#include <type_traits>

#include "dataplane/net/parse.h"
#include "dataplane/net/serial.h"
#include "dataplane/state/tcp_state.h"

namespace sluice {

/// One end's numbers.
struct TcpSide {
  uint32_t snd_nxt;     // beyond the newest byte it sent, as seen here
  uint32_t snd_una;     // its oldest byte that the peer has not acknowledged
  uint32_t right_edge;  // beyond the last byte that its peer allows it to send
};

/// What only the beginning and the end of a connection ask for. It stands apart from TcpTrack so
/// that segments in between need not load it.
struct TcpBounds {
  uint32_t client_first;  // first byte of each side: beyond its SYN
  uint32_t backend_first;
  uint32_t client_fin;  // beyond its FIN, once the state says that it was sent
  uint32_t
      backend_fin;  // syn_received: beyond a later SYN-ACK of another number; 0: there was none
  uint16_t client_wraps;  // how often each side's sequence numbers passed zero
  uint16_t backend_wraps;
};
static_assert(sizeof(TcpBounds) == 20);

/// What a segment means to its flow.
struct TcpReading {
  TcpEvent event = TcpEvent::kNone;
  bool in_window = false;  // its receiver takes it; for a RST: it may be passed on
};

class TcpTrack {
 public:
  /// A flow begins with the client's SYN, as it goes to the backend.
  void open(TcpBounds& bounds, const net::Packet& syn, uint8_t window_scale, bool has_window_scale);

  /// The backend's SYN-ACK, whose acknowledgement was checked with answers_syn().
  void answer(TcpBounds& bounds, const net::Packet& syn_ack, uint8_t window_scale,
              bool has_window_scale);

  /// Data on a SYN (RFC 7413) may be acknowledged or not.
  bool answers_syn(uint32_t acknowledgement) const {
    return net::serial_within(acknowledgement, client_.snd_una, client_.snd_nxt);
  }

  /// Whether the backend can acknowledge this: nothing that was not sent, nothing older than the
  /// largest window (RFC 5961, section 5.2). A late segment of an older connection of the tuple
  /// fails this.
  bool acknowledges_possible(const net::TcpHeader& tcp) const {
    const uint32_t window_max =
        state_ == FlowState::kSynReceived ? 0 : uint32_t{65535} << backend_scale();
    return !tcp.has(net::tcp_flag::kAck) ||
           net::serial_within(tcp.acknowledgement.host(), client_.snd_una - window_max,
                              client_.snd_nxt);
  }

  /// Reads a segment after the SYN-ACK, takes its numbers over and returns its event.
  TcpReading inbound(TcpBounds& bounds, const net::Packet& packet);
  TcpReading outbound(TcpBounds& bounds, const net::Packet& packet);

  /// Fast-path test: established, ACK set, no SYN, FIN or RST. Such a segment raises no event.
  bool is_mid_connection(const net::TcpHeader& tcp) const {
    using namespace net::tcp_flag;
    return state_ == FlowState::kEstablished && (tcp.flags & (kSyn | kFin | kRst | kAck)) == kAck;
  }
  /// All that inbound() or outbound() does for a segment that is in between, where that is plain:
  /// its receiver takes it, and it acknowledges no less than the last. Else false, and nothing is
  /// done.
  bool follow_client(TcpBounds& bounds, const net::Packet& packet) {
    return follow_plain(packet, from_client(bounds));
  }
  bool follow_backend(TcpBounds& bounds, const net::Packet& packet) {
    return follow_plain(packet, from_backend(bounds));
  }

  FlowState state() const { return state_; }
  void advance(TcpEvent event) { state_ = next_state(state_, event); }

  /// Whether a SYN is the one that opened the flow, sent again.
  bool is_same_syn(const TcpBounds& bounds, uint32_t sequence) const {
    return state_ <= FlowState::kSynReceived && sequence + 1 == bounds.client_first;
  }

  /// Next sequence number that the backend expects of the client, as far as it was acknowledged. A
  /// RST with it is taken by RFC 5961 stacks.
  uint32_t backend_expects() const { return client_.snd_una; }
  uint32_t client_expects() const { return backend_.snd_una; }
  /// Beyond the newest byte sent to the backend.
  uint32_t client_snd_nxt() const { return client_.snd_nxt; }
  uint32_t backend_snd_nxt() const { return backend_.snd_nxt; }

  /// Bytes of our own go to the backend between the client's SYN and its first byte, whose numbers
  /// are larger by that from here on. No byte of the client has been acknowledged.
  void insert(TcpBounds& bounds, uint32_t length);
  /// Beyond the last byte that the backend allows.
  uint32_t client_right_edge() const { return client_.right_edge; }
  /// The window field of the client's that says what it has offered, as far as it is left.
  uint16_t client_window() const;
  /// Of the window fields that the backend sends after its SYN-ACK.
  uint8_t backend_scale() const { return scales_ >> 4; }
  uint8_t client_window_scale() const { return client_scale(); }

  /// Payload that each side sent, retransmissions once.
  uint64_t client_bytes(const TcpBounds& bounds) const;
  uint64_t backend_bytes(const TcpBounds& bounds) const;

 private:
  /// The numbers that a segment of one end is held against, and moves.
  struct Sides {
    TcpSide& sender;
    TcpSide& receiver;
    uint8_t scale;         // of the sender's window
    uint8_t& window_high;  // of the sender
    uint16_t& wraps;       // of the sender
  };
  Sides from_client(TcpBounds& bounds) {
    return {client_, backend_, client_scale(), window_high_[0], bounds.client_wraps};
  }
  Sides from_backend(TcpBounds& bounds) {
    return {backend_, client_, backend_scale(), window_high_[1], bounds.backend_wraps};
  }

  bool client_fin_seen() const;
  bool backend_fin_seen() const;
  TcpEvent fin_progress(const TcpBounds& bounds) const;
  bool follow(const net::Packet& packet, const Sides& sides);
  void take_later_answer(TcpBounds& bounds);

  uint8_t client_scale() const { return scales_ & 15; }
  static uint8_t high_byte(uint32_t window) { return static_cast<uint8_t>(window >> 8); }
  /// The largest window that the sender has offered, rounded up.
  static uint32_t window_max(const Sides& sides) {
    return (uint32_t{sides.window_high} + 1) << 8 << sides.scale;
  }

  static bool ends_in_window(uint32_t end, const Sides& sides) {
    constexpr uint32_t kKeepAlive = 1;  // RFC 9293, section 3.8.4
    constexpr uint32_t kProbe = 1;      // section 3.8.6.1
    return net::serial_within(end, sides.sender.snd_una - kKeepAlive,
                              sides.sender.right_edge + kProbe);
  }

  /// Moves a side's end up to `end`, where that lies beyond it.
  static void raise(uint32_t& newest, uint32_t end, uint16_t& wraps) {
    if (!net::serial_after(end, newest)) return;
    if (end < newest) [[unlikely]] {
      ++wraps;
    }
    newest = end;
  }

  static bool follow_plain(const net::Packet& packet, const Sides& sides) {
    const net::TcpHeader& tcp = *packet.tcp;
    const uint32_t end = packet.sequence_end();
    const uint32_t ack = tcp.acknowledgement.host();
    const uint16_t window = tcp.window.host();
    if (!ends_in_window(end, sides) ||
        !net::serial_within(ack, sides.receiver.snd_una, sides.receiver.snd_nxt) ||
        high_byte(window) > sides.window_high) [[unlikely]] {
      return false;
    }
    raise(sides.sender.snd_nxt, end, sides.wraps);
    sides.receiver.snd_una = ack;
    sides.receiver.right_edge =
        net::serial_max(sides.receiver.right_edge, ack + (uint32_t{window} << sides.scale));
    return true;
  }

  FlowState state_;  // first, as UdpTrack has it
  uint8_t scales_;   // shifts of the window fields: low four bits the client's, then backend's
  uint8_t window_high_[2];  // high byte of the largest window field of client and backend
  TcpSide client_;
  TcpSide backend_;
};
static_assert(sizeof(TcpTrack) == 28 && std::is_standard_layout_v<TcpTrack>);

}  // namespace sluice
