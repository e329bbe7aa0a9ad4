// SPDX-License-Identifier: BSD-3-Clause
// The receiving half of the little TCP: what a segment means in each state.
#include <algorithm>
#include <cstring>

#include "tests/simulation/rng.h"
#include "tests/simulation/tcp.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kWindow = 65535;

bool is_the_stream(const Segment& s, uint64_t key, uint32_t position) {
  for (uint32_t i = 0; i < s.payload_size;) {
    const uint64_t word = mix(key + (position + i) / 8);
    const uint32_t skip = (position + i) % 8;
    const uint32_t count = std::min<uint32_t>(8 - skip, s.payload_size - i);
    if (std::memcmp(s.payload + i, reinterpret_cast<const uint8_t*>(&word) + skip, count) != 0)
      return false;
    i += count;
  }
  return true;
}

}  // namespace

void Tcp::receive(const Segment& s, TimeUs now, Outbox& out) {
  switch (state_) {
    case TcpState::closed:
    case TcpState::time_wait:
      return;
    case TcpState::syn_sent:
      return receive_syn_sent(s, now, out);
    case TcpState::syn_received:
      return receive_syn_received(s, now, out);
    default:
      return receive_synchronized(s, now, out);
  }
}

// tcp_rcv_synsent_state_process
void Tcp::receive_syn_sent(const Segment& s, TimeUs now, Outbox& out) {
  if (!s.is(kSyn) && !s.is(kRst)) bare_ack_to_syn_ = true;
  if (!s.is(kAck)) return;  // nobody here opens at the same time
  const bool echo_is_ours = !timestamps_ || !s.has_timestamps || s.tsecr == 0 ||
                            within(s.tsecr, first_tsval_, setup_.clock.at(now));
  if (s.ack != snd_nxt_ || !echo_is_ours) {
    if (!s.is(kRst)) out.transmit(reset_for(s), setup_.connection);
    return;
  }
  if (s.is(kRst)) return finish(Ending::refused);
  if (!s.is(kSyn)) return;
  irs_ = s.seq;
  if (s.mss != 0) peer_mss_ = s.mss;
  rcv_nxt_ = s.seq + 1;
  snd_una_ = s.ack;
  timestamps_ = timestamps_ && s.has_timestamps;
  sack_ = sack_ && s.sack_permitted;
  ts_recent_ = s.tsval;
  ts_recent_at_ = now;
  state_ = TcpState::established;
  deadline_ = kNever;
  backoff_ = 0;
  ack_pending_ = true;
}

// tcp_check_req
void Tcp::receive_syn_received(const Segment& s, TimeUs now, Outbox& out) {
  const bool alien_echo = timestamps_ && s.has_timestamps && s.is(kAck) &&
                          !within(s.tsecr, first_tsval_, setup_.clock.at(now));
  const bool paws = paws_rejects(s);
  if (s.is_syn() && s.seq == irs_ && !paws) {
    const bool recent =
        out_of_window_ack_at_ != kNever && now - out_of_window_ack_at_ < kOutOfWindowAckEveryUs;
    if (recent) return;
    out_of_window_ack_at_ = now;
    return send_syn(now, out);
  }
  if (s.is(kAck) && s.ack != snd_nxt_) {
    if (!s.is(kRst)) out.transmit(reset_for(s), setup_.connection);
    return;
  }
  const bool in_window =
      s.seq == rcv_nxt_ || (after(s.end(), rcv_nxt_) && before(s.seq, rcv_nxt_ + kWindow));
  if (paws || alien_echo || !in_window) {
    if (!s.is(kRst)) answer_out_of_window(s, now, out);
    return;
  }
  if (s.is(kRst)) return finish(Ending::reset);
  if (s.is(kSyn)) {
    out.transmit(reset_for(s), setup_.connection);
    return finish(Ending::reset);
  }
  if (!s.is(kAck)) return;
  state_ = TcpState::established;
  snd_una_ = s.ack;
  deadline_ = kNever;
  backoff_ = 0;
  receive_synchronized(s, now, out);
}

void Tcp::receive_synchronized(const Segment& s, TimeUs now, Outbox& out) {
  if (!validate(s, now, out)) return;
  if (timestamps_ && s.has_timestamps && !after(s.seq, rcv_nxt_)) {
    ts_recent_ = s.tsval;
    ts_recent_at_ = now;
  }
  if (!s.is(kAck) || after(s.ack, snd_max_)) return;
  take_ack(s, now, out);
  if (state_ == TcpState::closed) return;
  if (s.payload_size != 0) take_payload(s);
  if (s.is(kFin) && !peer_closed_) {
    peer_fin_known_ = true;
    peer_fin_ = s.end() - 1;
  }
  if (s.length() != 0) ack_pending_ = true;
  take_fin();
}

// tcp_validate_incoming: PAWS, window, RST, SYN, in this order.
bool Tcp::validate(const Segment& s, TimeUs now, Outbox& out) {
  if (paws_rejects(s) && !s.is(kRst)) {
    answer_out_of_window(s, now, out);
    return false;
  }
  if (before(s.end(), rcv_nxt_) || after(s.seq, rcv_nxt_ + kWindow)) {
    if (!s.is(kRst)) answer_out_of_window(s, now, out);
    return false;
  }
  if (s.is(kRst)) {
    if (s.seq == rcv_nxt_)
      finish(Ending::reset);
    else
      answer_out_of_window(s, now, out);  // the challenge of RFC 5961 section 3.2
    return false;
  }
  if (s.is(kSyn)) {
    answer_out_of_window(s, now, out);  // and of section 4.2
    return false;
  }
  return true;
}

bool Tcp::paws_rejects(const Segment& s) const {
  return timestamps_ && s.has_timestamps && ts_recent_ != 0 && before(s.tsval, ts_recent_);
}

void Tcp::answer_out_of_window(const Segment& s, TimeUs now, Outbox& out) {
  const bool data = s.length() != 0 && !s.is(kSyn);
  if (!data) {
    if (out_of_window_ack_at_ != kNever && now - out_of_window_ack_at_ < kOutOfWindowAckEveryUs)
      return;
    out_of_window_ack_at_ = now;
  }
  send_ack(now, out);
}

void Tcp::take_ack(const Segment& s, TimeUs now, Outbox& out) {
  if (after(s.ack, snd_una_)) {
    snd_una_ = s.ack;
    if (before(snd_nxt_, snd_una_)) snd_nxt_ = snd_una_;
    duplicate_acks_ = 0;
    backoff_ = 0;
    deadline_ = kNever;
    if (snd_una_ != snd_max_) arm(now);
  } else if (s.ack == snd_una_ && s.length() == 0 && snd_una_ != snd_max_) {
    if (++duplicate_acks_ == 3) retransmit(now, out);
  }
  const bool fin_acknowledged =
      fin_wanted_ && snd_una_ == snd_max_ && snd_una_ == setup_.iss + 1 + written_ + 1;
  if (!fin_acknowledged) return;
  if (state_ == TcpState::fin_wait_1) state_ = TcpState::fin_wait_2;
  if (state_ == TcpState::closing) state_ = TcpState::time_wait;
  if (state_ == TcpState::last_ack) finish(Ending::graceful);
}

void Tcp::take_payload(const Segment& s) {
  const uint32_t end = s.seq + s.payload_size;
  const uint32_t position = s.seq - irs_ - 1;
  const uint32_t head = std::min<uint32_t>(
      s.payload_size, setup_.header_size - std::min<uint32_t>(position, setup_.header_size));
  Segment rest = s;
  rest.payload += head;
  rest.payload_size = static_cast<uint16_t>(s.payload_size - head);
  const bool old = !after(end, rcv_nxt_);
  const bool right =
      take_header(s, position) &&
      (old || is_the_stream(rest, setup_.receive_key, position + head - setup_.header_size));
  if (!right) {
    corrupt_ = true;
    return;
  }
  if (old) return;
  remember(s.seq, end);
  take_remembered();
}

// What is sent again has to be the same.
bool Tcp::take_header(const Segment& s, uint32_t position) {
  for (uint32_t i = 0; i < s.payload_size && position + i < setup_.header_size; i++) {
    const uint32_t at = position + i;
    if (header_known_[at] && header_[at] != s.payload[i]) return false;
    header_[at] = s.payload[i];
    header_known_[at] = true;
  }
  return true;
}

// Keeps what arrived as a few disjoint ranges; what finds no place is sent again by the peer.
void Tcp::remember(uint32_t left, uint32_t right) {
  if (before(left, rcv_nxt_)) left = rcv_nxt_;
  for (unsigned i = 0; i < gap_count_;) {
    if (after(left, gaps_[i].right) || before(right, gaps_[i].left)) {
      i++;
      continue;
    }
    if (before(gaps_[i].left, left)) left = gaps_[i].left;
    if (after(gaps_[i].right, right)) right = gaps_[i].right;
    gaps_[i] = gaps_[--gap_count_];
  }
  if (gap_count_ < kGapsMax) {
    std::copy_backward(gaps_, gaps_ + gap_count_, gaps_ + gap_count_ + 1);
    gaps_[0] = {left, right};  // the newest first (RFC 2018 section 4)
    gap_count_++;
  } else if (left == rcv_nxt_) {
    received_ += right - rcv_nxt_;
    rcv_nxt_ = right;
  }
}

void Tcp::take_remembered() {
  for (unsigned i = 0; i < gap_count_;) {
    if (after(gaps_[i].left, rcv_nxt_)) {
      i++;
      continue;
    }
    if (after(gaps_[i].right, rcv_nxt_)) {
      received_ += gaps_[i].right - rcv_nxt_;
      rcv_nxt_ = gaps_[i].right;
    }
    std::copy(gaps_ + i + 1, gaps_ + gap_count_, gaps_ + i);
    gap_count_--;
    i = 0;
  }
}

void Tcp::take_fin() {
  if (!peer_fin_known_ || peer_closed_ || rcv_nxt_ != peer_fin_) return;
  peer_closed_ = true;
  rcv_nxt_++;
  ack_pending_ = true;
  if (state_ == TcpState::established) state_ = TcpState::close_wait;
  if (state_ == TcpState::fin_wait_1) state_ = TcpState::closing;
  if (state_ == TcpState::fin_wait_2) state_ = TcpState::time_wait;
}

}  // namespace sluice::sim
