// SPDX-License-Identifier: BSD-3-Clause
// The states of a flow: TCP's, then UDP's. This one list gives their names, their counters and the
// states that `show flows` can be asked for.
//
// tcp_state.h has TCP's transitions, udp_track.h UDP's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// X(enumerator, name)
#define SLUICE_FLOW_STATES(X)                                                                \
  X(kSynSent, "syn_sent")               /* the client's SYN is on its way or unanswered */   \
  X(kSynReceived, "syn_received")       /* the backend's SYN-ACK went by */                  \
  X(kEstablished, "established")        /* */                                                \
  X(kClientClosed, "client_closed")     /* half-closed by the client */                      \
  X(kBackendClosed, "backend_closed")   /* half-closed by the backend */                     \
  X(kClientFirst, "client_first")       /* both FINs seen, the client's first */             \
  X(kBackendFirst, "backend_first")     /* both FINs seen, the backend's first or crossed */ \
  X(kClosed, "closed")                  /* over; the backend has forgotten the tuple */      \
  X(kTimeWait, "time_wait")             /* over; the backend holds the tuple in TIME_WAIT */ \
  X(kUdpUnanswered, "udp_unanswered")   /* the client's datagrams alone so far */            \
  X(kUdpAnswered, "udp_answered")       /* the backend has answered */                       \
  X(kUdpEstablished, "udp_established") /* and once more, after the client went on */

enum class FlowState : uint8_t {
#define X(enumerator, name) enumerator,
  SLUICE_FLOW_STATES(X)
#undef X
};

inline constexpr std::array kFlowStateNames = {
#define X(enumerator, name) std::string_view(name),
    SLUICE_FLOW_STATES(X)
#undef X
};
inline constexpr size_t kFlowStateCount = kFlowStateNames.size();
inline constexpr size_t kTcpStateCount = static_cast<size_t>(FlowState::kTimeWait) + 1;

constexpr std::string_view name_of(FlowState s) {
  return kFlowStateNames[static_cast<size_t>(s)];
}
constexpr bool is_udp(FlowState s) {
  return s >= FlowState::kUdpUnanswered;
}
constexpr bool is_closed(FlowState s) {
  return s == FlowState::kClosed || s == FlowState::kTimeWait;
}
/// Both FINs are through or the flow is over: a new SYN of the same client starts a new connection.
constexpr bool both_closed(FlowState s) {
  return s >= FlowState::kClientFirst && s <= FlowState::kTimeWait;
}
/// The handshake is under way: the SYN-ACK, or the client's acknowledgement of it, is missing.
constexpr bool is_opening(FlowState s) {
  return s <= FlowState::kSynReceived;
}
/// A TCP connection that is open for both ends, or half-closed by one.
constexpr bool is_open(FlowState s) {
  return s >= FlowState::kEstablished && s <= FlowState::kBackendClosed;
}

}  // namespace sluice
