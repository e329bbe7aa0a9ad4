// SPDX-License-Identifier: BSD-3-Clause
// TCP as a middlebox sees it: the state of a flow, who closed first, how long it may be silent.
//
// The table kTransitions says everything about states; what event a segment is, TcpTrack tells.
//
//   syn_sent --syn_ack--> syn_received --ack--> established
//
//   established --client_fin--> client_closed --backend_fin_acking-> client_first --acked--> closed
//                                     `------ backend_fin (crossed)-> backend_first
//   established --backend_fin-> backend_closed --client_fin-----> backend_first --acked-> time_wait
//
//   any --rst--> closed, but backend_first --client_rst--> time_wait, which may survive it
//   (RFC 1337)
//
// "First" is judged as the backend lives it: it goes through TIME_WAIT unless its own first FIN
// already acknowledged the client's (RFC 9293, section 3.6: LAST-ACK against FIN-WAIT-1 and
// CLOSING).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/state/flow_state.h"

namespace sluice {

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

using TransitionTable = std::array<std::array<FlowState, kTcpEventCount>, kTcpStateCount>;

constexpr TransitionTable make_transitions() {
  using enum FlowState;
  // Columns:  kNone          kSynAck       kAck          kClientFin     kBackendFin
  //           kBackendFinAcking kFinsAcked kClientRst    kBackendRst
  return {{
      {kSynSent, kSynReceived, kSynSent, kSynSent, kSynSent,  //
       kSynSent, kSynSent, kSynSent, kClosed},
      {kSynReceived, kSynReceived, kEstablished, kClientClosed, kBackendClosed,  //
       kBackendClosed, kSynReceived, kClosed, kClosed},
      {kEstablished, kEstablished, kEstablished, kClientClosed, kBackendClosed,  //
       kBackendClosed, kEstablished, kClosed, kClosed},
      {kClientClosed, kClientClosed, kClientClosed, kClientClosed, kBackendFirst,  //
       kClientFirst, kClientClosed, kClosed, kClosed},
      {kBackendClosed, kBackendClosed, kBackendClosed, kBackendFirst, kBackendClosed,  //
       kBackendClosed, kBackendClosed, kClosed, kClosed},
      {kClientFirst, kClientFirst, kClientFirst, kClientFirst, kClientFirst,  //
       kClientFirst, kClosed, kClosed, kClosed},
      {kBackendFirst, kBackendFirst, kBackendFirst, kBackendFirst, kBackendFirst,  //
       kBackendFirst, kTimeWait, kTimeWait, kClosed},
      {kClosed, kClosed, kClosed, kClosed, kClosed,  //
       kClosed, kClosed, kClosed, kClosed},
      {kTimeWait, kTimeWait, kTimeWait, kTimeWait, kTimeWait,  //
       kTimeWait, kTimeWait, kTimeWait, kTimeWait},
  }};
}

}  // namespace detail

inline constexpr detail::TransitionTable kTransitions = detail::make_transitions();

constexpr FlowState next_state(FlowState state, TcpEvent event) {
  return kTransitions[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

/// How long a TCP flow may be silent, in milliseconds, by state.
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
    10'000,     // closed
    10'000,     // time_wait
};

}  // namespace sluice
