// SPDX-License-Identifier: BSD-3-Clause
// UDP as a middlebox sees it: who has said something, and how much.
//
//   udp_unanswered --backend--> udp_answered --client, then backend--> udp_established
//
// UDP has no handshake that a spoofed source could not begin. What tells a peer that listens is
// that it goes on after an answer; so flows that have not come so far make way for others in a
// flood (admission.h), and one that has is left alone.
//
// A one-shot flow is over when each of its client's datagrams is answered: a resolver may ask twice
// from one port (A and AAAA), and gets both answers.
#pragma once

#include <cstdint>
#include <type_traits>

#include "dataplane/state/flow_state.h"

namespace sluice {

/// As a service has it, when a flow of it begins.
struct UdpRules {
  bool one_shot = false;     // over when each request has its answer
  bool refresh_both = true;  // false: a backend's datagrams do not keep the flow
};

class UdpTrack {
 public:
  /// A flow begins; its client's first datagram is noted after that.
  void open(UdpRules rules) {
    *this = {};
    state_ = FlowState::kUdpUnanswered;
    one_shot_ = rules.one_shot;
    refresh_both_ = rules.refresh_both;
  }
  void note_client(uint16_t payload) {
    bytes_in_.add(payload);
    went_on_ |= state_ == FlowState::kUdpAnswered;
    asked_again_ |= due_ != 0;
    if (due_ != UINT16_MAX) ++due_;
  }
  /// Returns the state before.
  FlowState note_backend(uint16_t payload) {
    const FlowState before = state_;
    bytes_out_.add(payload);
    if (due_ != 0) --due_;
    if (before == FlowState::kUdpUnanswered) {
      state_ = FlowState::kUdpAnswered;
    } else if (went_on_) {
      state_ = FlowState::kUdpEstablished;
    }
    return before;
  }

  FlowState state() const { return state_; }
  bool is_one_shot() const { return one_shot_; }
  bool is_refreshed_by_backend() const { return refresh_both_; }
  /// A one-shot flow with as many answers as requests.
  bool is_complete() const { return one_shot_ && due_ == 0; }
  /// Whether the backend may still answer. Of two requests the answer to one may have come twice,
  /// and that to the other not at all.
  bool may_be_answered() const { return !is_complete() || asked_again_; }
  uint16_t answers_due() const { return due_; }
  uint64_t bytes_in() const { return bytes_in_.value(); }
  uint64_t bytes_out() const { return bytes_out_.value(); }

 private:
  /// 64 bits, aligned to 32.
  struct ByteCount {
    uint32_t low;
    uint32_t high;
    void add(uint32_t count) {
      low += count;
      high += low < count;
    }
    uint64_t value() const { return uint64_t{high} << 32 | low; }
  };

  FlowState state_;  // first, as TcpTrack has it
  bool one_shot_ : 1;
  bool refresh_both_ : 1;
  bool went_on_ : 1;      // the client has sent something after an answer
  bool asked_again_ : 1;  // while an answer was due
  uint16_t due_;  // datagrams of the client's, less those of the backend's; never below zero
  ByteCount bytes_in_;
  ByteCount bytes_out_;
};
static_assert(sizeof(UdpTrack) == 20 && std::is_standard_layout_v<UdpTrack>);

}  // namespace sluice
