// SPDX-License-Identifier: BSD-3-Clause
// TIME_WAIT by stack; each rule follows its source clause by clause.
#include "tests/simulation/time_wait.h"

namespace sluice::sim {
namespace {

constexpr TimeUs kPawsMslUs = 60 * kSecond;

bool in_window(const Segment& s, uint32_t low, uint32_t high) {
  if (s.seq == low) return true;
  if (after(s.end(), low) && before(s.seq, high)) return true;
  return s.seq == high && s.seq == s.end();
}

// tcp_paws_reject: never for an RST once the timestamp is a minute old, nor for a first TSval of 0.
bool paws_rejects(const TimeWait& w, const Segment& s, TimeUs now) {
  if (!w.timestamps || !s.has_timestamps || w.ts_recent == 0) return false;
  if (!before(s.tsval, w.ts_recent)) return false;
  return !(s.is(kRst) && now - w.ts_recent_at >= kPawsMslUs);
}

void restart(TimeWait& w, TimeUs now) {
  w.expires_at = now + kTimeWaitUs;
}

void remember_timestamp(TimeWait& w, const Segment& s, TimeUs now) {
  if (!w.timestamps || !s.has_timestamps) return;
  w.ts_recent = s.tsval;
  w.ts_recent_at = now;
}

// tcp_oow_rate_limited: data is always answered, all else every 500 ms.
TimeWaitVerdict answer_out_of_window(TimeWait& w, const Segment& s, TimeUs now) {
  const bool data = s.length() != 0 && !s.is(kSyn);
  if (!data) {
    if (w.out_of_window_ack_at != kNever && now - w.out_of_window_ack_at < kOutOfWindowAckEveryUs)
      return TimeWaitVerdict::drop;
    w.out_of_window_ack_at = now;
  }
  return TimeWaitVerdict::ack;
}

TimeWaitVerdict linux_fin_wait_2(TimeWait& w, const Segment& s, bool paws, TimeUs now) {
  if (paws || !in_window(s, w.rcv_nxt, w.rcv_nxt + w.rcv_wnd))
    return answer_out_of_window(w, s, now);
  if (s.is(kRst)) return TimeWaitVerdict::gone;
  if (s.is(kSyn) && !before(s.seq, w.rcv_nxt)) return TimeWaitVerdict::reset;
  if (!s.is(kAck) || !after(s.end(), w.rcv_nxt) || s.length() == 0) return TimeWaitVerdict::drop;
  if (!s.is(kFin) || s.end() != w.rcv_nxt + 1) return TimeWaitVerdict::reset;
  w.fin_wait_2 = false;
  w.rcv_nxt = s.end();
  remember_timestamp(w, s, now);
  restart(w, now);
  return TimeWaitVerdict::ack;
}

TimeWaitVerdict linux_time_wait(TimeWait& w, const Segment& s, TimeUs now) {
  const bool paws = paws_rejects(w, s, now);
  if (w.fin_wait_2) return linux_fin_wait_2(w, s, paws, now);
  if (!paws && s.seq == w.rcv_nxt && (s.length() == 0 || s.is(kRst))) {
    if (s.is(kRst)) {
      if (w.stack != Stack::linux_rfc1337) return TimeWaitVerdict::gone;
    } else {
      restart(w, now);
    }
    remember_timestamp(w, s, now);
    return TimeWaitVerdict::drop;
  }
  const bool newer_timestamp = w.timestamps && s.has_timestamps && after(s.tsval, w.ts_recent);
  if (s.is_syn() && !paws && (after(s.seq, w.rcv_nxt) || newer_timestamp))
    return TimeWaitVerdict::reopen;
  if (s.is(kRst)) return TimeWaitVerdict::drop;
  if (paws || s.is(kAck)) restart(w, now);
  return answer_out_of_window(w, s, now);
}

// What the two silent stacks share once the SYN is judged.
TimeWaitVerdict silent_time_wait(TimeWait& w, const Segment& s, TimeUs now) {
  if (s.is(kRst) || !s.is(kAck)) return TimeWaitVerdict::drop;
  if (s.is(kFin)) restart(w, now);
  const bool out_of_place = s.length() != 0 || s.seq != w.rcv_nxt || s.ack != w.snd_nxt;
  return out_of_place ? TimeWaitVerdict::ack : TimeWaitVerdict::drop;
}

// SEQ_GT and TSTMP_GT: unlike Linux' after(), not true of what is 2^31 away.
bool greater(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) > 0;
}

TimeWaitVerdict freebsd_time_wait(TimeWait& w, const Segment& s, TimeUs now) {
  if (s.is_syn() && greater(s.seq, w.rcv_nxt)) return TimeWaitVerdict::reopen;
  return silent_time_wait(w, s, now);
}

bool rfc6191_takes(const TimeWait& w, const Segment& s) {
  // rcv_nxt is one past the last sequence number seen, which was the FIN's.
  const bool newer_sequence = s.seq == w.rcv_nxt || greater(s.seq, w.rcv_nxt);
  if (!s.has_timestamps) return newer_sequence;
  if (!w.timestamps) return true;
  return greater(s.tsval, w.ts_recent) || (s.tsval == w.ts_recent && newer_sequence);
}

TimeWaitVerdict rfc6191_time_wait(TimeWait& w, const Segment& s, TimeUs now) {
  if (s.is_syn() && rfc6191_takes(w, s)) return TimeWaitVerdict::reopen;
  return silent_time_wait(w, s, now);
}

}  // namespace

const char* name_of(Stack stack) {
  switch (stack) {
    case Stack::linux_:
      return "linux";
    case Stack::linux_rfc1337:
      return "linux, rfc1337";
    case Stack::freebsd:
      return "freebsd";
    case Stack::rfc6191:
      return "rfc6191";
  }
  return "?";
}

TimeWaitVerdict process(TimeWait& w, const Segment& s, TimeUs now) {
  switch (w.stack) {
    case Stack::freebsd:
      return freebsd_time_wait(w, s, now);
    case Stack::rfc6191:
      return rfc6191_time_wait(w, s, now);
    default:
      return linux_time_wait(w, s, now);
  }
}

Segment stale_ack(const TimeWait& w, const Segment& trigger, TimeUs now) {
  Segment s;
  s.source = trigger.destination;
  s.destination = trigger.source;
  s.seq = w.snd_nxt;
  s.ack = w.rcv_nxt;
  s.flags = kAck;
  s.has_timestamps = w.timestamps;
  s.tsval = w.clock.at(now);
  s.tsecr = w.ts_recent;
  return s;
}

Segment reset_for(const Segment& stray) {
  Segment s;
  s.source = stray.destination;
  s.destination = stray.source;
  s.window = 0;
  if (stray.is(kAck)) {
    s.seq = stray.ack;
    s.flags = kRst;
  } else {
    s.ack = stray.end();
    s.flags = kRst | kAck;
  }
  return s;
}

}  // namespace sluice::sim
