// SPDX-License-Identifier: BSD-3-Clause
// TCP as a middlebox sees it: a flow's state, who closed first, and which numbers are current.
//
// The table kTransitions says everything about states; TcpTrack holds the numbers and turns a
// segment into an event. All sequence numbers are the backend's view (after a fit's shift).
//
//   syn_sent --syn_ack--> syn_received --ack--> established
//
//   established --client_fin---> client_closed --backend_fin_acking--> client_first --acked--> clean
//                                      `------- backend_fin (crossed)--> backend_first
//   established --backend_fin--> backend_closed ---client_fin---------> backend_first --acked--> held
//
//   any --rst--> clean, but backend_first --client_rst--> held: TIME_WAIT may survive it (RFC 1337)
//
// "First" is judged as the backend lives it: it goes through TIME_WAIT unless its own first FIN
// already acknowledged the client's (RFC 9293, section 3.6: LAST-ACK against FIN-WAIT-1 and
// CLOSING).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/net/parse.h"
#include "dataplane/net/serial.h"

namespace sluice {

enum class TcpState : uint8_t {
  kSynSent,        // the client's SYN is on its way or unanswered
  kSynReceived,    // the backend's SYN-ACK went by
  kEstablished,    //
  kClientClosed,   // half-closed by the client
  kBackendClosed,  // half-closed by the backend
  kClientFirst,    // both FINs seen, the client's first
  kBackendFirst,   // both FINs seen, the backend's first or crossed
  kClean,          // over; the backend has forgotten the tuple
  kHeld,           // over; the backend holds the tuple in TIME_WAIT
};
inline constexpr size_t kTcpStateCount = 9;

inline constexpr std::array<std::string_view, kTcpStateCount> kTcpStateNames = {
    "syn_sent",     "syn_received",  "established", "client_closed", "backend_closed",
    "client_first", "backend_first", "clean",       "held"};

constexpr std::string_view name_of(TcpState s) {
  return kTcpStateNames[static_cast<size_t>(s)];
}
constexpr bool is_over(TcpState s) {
  return s >= TcpState::kClean;
}
/// Both FINs are through or the flow is over: a new SYN of the same client starts a new connection.
constexpr bool both_closed(TcpState s) {
  return s >= TcpState::kClientFirst;
}

enum class TcpEvent : uint8_t {
  kNone,              // nothing that a state depends on
  kSynAck,            // the backend's answer to the SYN
  kAck,               // the client's acknowledgement of it
  kClientFin,         //
  kBackendFin,        // does not acknowledge the client's FIN
  kBackendFinAcking,  // acknowledges the client's FIN
  kFinsAcked,         // each side has acknowledged the other's FIN
  kClientRst,         // at a number that the backend accepts
  kBackendRst,        // the backend has no socket any more
};
inline constexpr size_t kTcpEventCount = 9;

namespace detail {

using TransitionTable = std::array<std::array<TcpState, kTcpEventCount>, kTcpStateCount>;

constexpr TransitionTable make_transitions() {
  using enum TcpState;
  // Columns:  kNone          kSynAck       kAck          kClientFin     kBackendFin
  //           kBackendFinAcking kFinsAcked kClientRst    kBackendRst
  return {{
      {kSynSent, kSynReceived, kSynSent, kSynSent, kSynSent,  //
       kSynSent, kSynSent, kSynSent, kClean},
      {kSynReceived, kSynReceived, kEstablished, kClientClosed, kBackendClosed,  //
       kBackendClosed, kSynReceived, kClean, kClean},
      {kEstablished, kEstablished, kEstablished, kClientClosed, kBackendClosed,  //
       kBackendClosed, kEstablished, kClean, kClean},
      {kClientClosed, kClientClosed, kClientClosed, kClientClosed, kBackendFirst,  //
       kClientFirst, kClientClosed, kClean, kClean},
      {kBackendClosed, kBackendClosed, kBackendClosed, kBackendFirst, kBackendClosed,  //
       kBackendClosed, kBackendClosed, kClean, kClean},
      {kClientFirst, kClientFirst, kClientFirst, kClientFirst, kClientFirst,  //
       kClientFirst, kClean, kClean, kClean},
      {kBackendFirst, kBackendFirst, kBackendFirst, kBackendFirst, kBackendFirst,  //
       kBackendFirst, kHeld, kHeld, kClean},
      {kClean, kClean, kClean, kClean, kClean,  //
       kClean, kClean, kClean, kClean},
      {kHeld, kHeld, kHeld, kHeld, kHeld,  //
       kHeld, kHeld, kHeld, kHeld},
  }};
}

}  // namespace detail

inline constexpr detail::TransitionTable kTransitions = detail::make_transitions();

constexpr TcpState next_state(TcpState state, TcpEvent event) {
  return kTransitions[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

/// How long a flow may be silent, in milliseconds, by state.
using TcpTimeouts = std::array<uint32_t, kTcpStateCount>;

/// RFC 5382, REQ-5: 2 h 4 min established, 4 min for what opens and closes. We differ where silence
/// has a meaning for a balancer: an unanswered SYN is given up after 60 s (clients stop retrying
/// before that in practice, and the port is wanted), and a flow that is over is only kept for late
/// segments.
inline constexpr TcpTimeouts kDefaultTcpTimeouts = {
    60'000,     // syn_sent
    60'000,     // syn_received
    7'440'000,  // established
    240'000,    // client_closed
    240'000,    // backend_closed
    240'000,    // client_first
    240'000,    // backend_first
    10'000,     // clean
    10'000,     // held
};

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
