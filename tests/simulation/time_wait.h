// SPDX-License-Identifier: BSD-3-Clause
// What a closed connection leaves behind at its host, by stack: the rules that decide whether the
// next SYN on its tuple is taken.
//
//   linux      net/ipv4/tcp_minisocks.c, tcp_timewait_state_process: PAWS first, then a newer
//              sequence or a newer timestamp; what is not taken is answered with the old ACK, at
//              most every 500 ms. An RST at the very next sequence number ends it.
//   rfc1337    the same with net.ipv4.tcp_rfc1337 = 1: an RST does not end it.
//   freebsd    tcp_twcheck: a newer sequence, timestamps ignored; anything else without an ACK is
//              dropped in silence; an RST never ends it.
//   rfc6191    RFC 6191 section 2: a newer timestamp, or an equal one and a newer sequence; without
//              timestamps on either side the sequence alone; silence otherwise.
#pragma once

#include <cstdint>

#include "tests/simulation/clock.h"
#include "tests/simulation/segment.h"

namespace sluice::sim {

enum class Stack : uint8_t { linux_, linux_rfc1337, freebsd, rfc6191 };

const char* name_of(Stack stack);

constexpr TimeUs kTimeWaitUs = 60 * kSecond;
constexpr TimeUs kOutOfWindowAckEveryUs = 500 * kMillisecond;

struct TimeWait {
  Stack stack = Stack::linux_;
  bool fin_wait_2 = false;  // Linux keeps an orphan's FIN_WAIT_2 in the same small socket
  bool timestamps = false;
  uint32_t rcv_nxt = 0;
  uint32_t snd_nxt = 0;
  uint32_t rcv_wnd = 65535;
  uint32_t ts_recent = 0;
  TimeUs ts_recent_at = 0;
  TimestampClock clock;
  TimeUs out_of_window_ack_at = kNever;
  TimeUs expires_at = 0;
};

enum class TimeWaitVerdict : uint8_t {
  drop,
  ack,     // the old ACK: seq snd_nxt, ack rcv_nxt
  reset,   // an RST in answer, and the end
  gone,    // ended without a word
  reopen,  // a new connection takes the tuple
};

TimeWaitVerdict process(TimeWait& wait, const Segment& segment, TimeUs now);

// The segment that `ack` calls for.
Segment stale_ack(const TimeWait& wait, const Segment& trigger, TimeUs now);

// What every stack answers to a segment that belongs to nothing (RFC 9293 section 3.10.7.1).
Segment reset_for(const Segment& stray);

}  // namespace sluice::sim
