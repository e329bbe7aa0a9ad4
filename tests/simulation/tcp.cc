// SPDX-License-Identifier: BSD-3-Clause
// The sending half of the little TCP: opening, streams, retransmission, closing.
#include "tests/simulation/tcp.h"

#include <algorithm>
#include <cstring>

#include "tests/simulation/rng.h"

namespace sluice::sim {
namespace {

constexpr TimeUs kHandshakeTimeoutUs = 1 * kSecond;
constexpr TimeUs kRetransmitTimeoutUs = 250 * kMillisecond;
constexpr unsigned kHandshakeRetries = 6;
constexpr unsigned kRetries = 9;
constexpr unsigned kWindowSegments = 6;

}  // namespace

const char* name_of(TcpState state) {
  constexpr const char* kNames[] = {"CLOSED",     "SYN_SENT",   "SYN_RECEIVED", "ESTABLISHED",
                                    "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING",      "TIME_WAIT",
                                    "CLOSE_WAIT", "LAST_ACK"};
  return kNames[static_cast<unsigned>(state)];
}

const char* name_of(Ending ending) {
  constexpr const char* kNames[] = {"nothing yet", "a graceful close", "a refusal",
                                    "a reset",     "giving up",        "an abort"};
  return kNames[static_cast<unsigned>(ending)];
}

void Tcp::begin(const TcpSetup& setup) {
  *this = Tcp{};
  setup_ = setup;
  snd_una_ = setup.iss;
  snd_nxt_ = snd_max_ = setup.iss + 1;
}

void Tcp::connect(const TcpSetup& setup, TimeUs now, Outbox& out) {
  begin(setup);
  timestamps_ = setup.timestamps;
  sack_ = setup.sack;
  state_ = TcpState::syn_sent;
  first_tsval_ = setup.clock.at(now);
  send_syn(now, out);
}

void Tcp::accept(const TcpSetup& setup, const Segment& syn, TimeUs now, Outbox& out) {
  begin(setup);
  timestamps_ = setup.timestamps && syn.has_timestamps;
  sack_ = setup.sack && syn.sack_permitted;
  irs_ = syn.seq;
  if (syn.mss != 0) peer_mss_ = syn.mss;
  rcv_nxt_ = syn.seq + 1;
  ts_recent_ = syn.tsval;
  ts_recent_at_ = now;
  state_ = TcpState::syn_received;
  first_tsval_ = setup.clock.at(now);
  send_syn(now, out);
}

void Tcp::finish(Ending ending) {
  state_ = TcpState::closed;
  ending_ = ending;
  deadline_ = kNever;
  ack_pending_ = false;
}

void Tcp::close() {
  if (fin_wanted_) return;
  fin_wanted_ = true;
  if (state_ == TcpState::established) state_ = TcpState::fin_wait_1;
  if (state_ == TcpState::close_wait) state_ = TcpState::last_ack;
}

void Tcp::abort(TimeUs now, Outbox& out) {
  if (state_ != TcpState::closed && state_ != TcpState::syn_sent) {
    out.transmit(make(snd_nxt_, kRst | kAck, now), setup_.connection);
    finish(Ending::aborted);
  }
}

bool Tcp::nothing_unsent() const {
  return snd_max_ == setup_.iss + 1 + written_ + (fin_wanted_ ? 1 : 0);
}

void Tcp::flush(TimeUs now, Outbox& out) {
  pump(now, out);
  if (ack_pending_) send_ack(now, out);
}

// tcp_current_mss: options count against what the peer and the way there can take.
uint32_t Tcp::segment_size_for(TimeUs now, const Outbox& out) const {
  constexpr uint32_t kTimestampsSize = 12;
  const uint32_t path =
      out.path_mtu(setup_.local.ip, setup_.remote.ip, now) - uint32_t{kHeadersSize};
  const uint32_t most = std::min<uint32_t>(peer_mss_, path) - (timestamps_ ? kTimestampsSize : 0);
  return std::min<uint32_t>(setup_.segment_size, most);
}

// tcp_v4_err, tcp_simple_retransmit
void Tcp::path_shrank(const PathError& error, TimeUs now, Outbox& out) {
  if (state_ < TcpState::established || state_ == TcpState::time_wait) return;
  if (within(error.seq, snd_una_, snd_max_)) retransmit(now, out);
}

void Tcp::pump(TimeUs now, Outbox& out) {
  if (state_ < TcpState::established || state_ == TcpState::time_wait) return;
  const uint32_t data_end = setup_.iss + 1 + written_;
  const uint32_t segment_size = segment_size_for(now, out);
  const uint32_t edge = snd_una_ + kWindowSegments * segment_size;
  while (before(snd_nxt_, data_end) && before(snd_nxt_, edge)) {
    const uint32_t size = std::min<uint32_t>(data_end - snd_nxt_, segment_size);
    const bool fin = fin_wanted_ && snd_nxt_ + size == data_end;
    send_stream(snd_nxt_, size, fin, now, out);
  }
  if (fin_wanted_ && snd_nxt_ == data_end) send_stream(snd_nxt_, 0, true, now, out);
}

void Tcp::send_stream(uint32_t seq, uint32_t size, bool fin, TimeUs now, Outbox& out) {
  Segment s =
      make(seq, static_cast<uint8_t>(kAck | (size != 0 ? kPsh : 0) | (fin ? kFin : 0)), now);
  uint8_t bytes[kPayloadMax];
  const uint32_t position = seq - setup_.iss - 1;
  for (uint32_t i = 0; i < size;) {
    const uint64_t word = mix(setup_.send_key + (position + i) / 8);
    const uint32_t skip = (position + i) % 8;
    const uint32_t count = std::min(8 - skip, size - i);
    std::memcpy(bytes + i, reinterpret_cast<const uint8_t*>(&word) + skip, count);
    i += count;
  }
  s.payload = bytes;
  s.payload_size = static_cast<uint16_t>(size);
  snd_nxt_ = s.end();
  if (after(snd_nxt_, snd_max_)) snd_max_ = snd_nxt_;
  ack_pending_ = false;
  out.transmit(s, setup_.connection);
  if (deadline_ == kNever) arm(now);
}

void Tcp::send_syn(TimeUs now, Outbox& out) {
  Segment s = make(setup_.iss, kSyn, now);
  if (state_ == TcpState::syn_received) s.flags |= kAck;
  s.mss = kMssOfAll;
  s.sack_permitted = sack_;
  s.has_window_scale = true;
  s.window_scale = setup_.window_scale;
  s.has_identity = true;
  s.identity = setup_.connection;
  syns_sent_++;
  out.transmit(s, setup_.connection);
  arm(now);
}

void Tcp::send_ack(TimeUs now, Outbox& out) {
  ack_pending_ = false;
  Segment s = make(snd_nxt_, kAck, now);
  if (sack_) {
    s.sack_count = std::min<uint8_t>(gap_count_, kSackBlocksMax);
    std::copy_n(gaps_, s.sack_count, s.sack);
  }
  out.transmit(s, setup_.connection);
}

Segment Tcp::make(uint32_t seq, uint8_t flags, TimeUs now) const {
  Segment s;
  s.source = setup_.local;
  s.destination = setup_.remote;
  s.seq = seq;
  s.flags = flags;
  if (state_ != TcpState::syn_sent) {
    s.flags |= kAck;
    s.ack = rcv_nxt_;
  }
  s.has_timestamps = timestamps_;
  s.tsval = setup_.clock.at(now);
  s.tsecr = ts_recent_;
  return s;
}

void Tcp::arm(TimeUs now) {
  const bool handshake = state_ == TcpState::syn_sent || state_ == TcpState::syn_received;
  deadline_ = now + ((handshake ? kHandshakeTimeoutUs : kRetransmitTimeoutUs) << backoff_);
}

void Tcp::on_deadline(TimeUs now, Outbox& out) {
  const bool handshake = state_ == TcpState::syn_sent || state_ == TcpState::syn_received;
  backoff_++;
  if (backoff_ > (handshake ? kHandshakeRetries : kRetries)) return finish(Ending::gave_up);
  retransmissions_++;
  if (handshake) return send_syn(now, out);
  retransmit(now, out);
}

// Goes back to the first byte that is not acknowledged; pump() sends on from there.
void Tcp::retransmit(TimeUs now, Outbox& out) {
  snd_nxt_ = snd_una_;
  duplicate_acks_ = 0;
  pump(now, out);
  arm(now);
}

TimeWait Tcp::leave_behind(Stack stack, TimeUs now) const {
  TimeWait w;
  w.stack = stack;
  w.fin_wait_2 = state_ == TcpState::fin_wait_2;
  w.timestamps = timestamps_;
  w.rcv_nxt = rcv_nxt_;
  w.snd_nxt = snd_max_;
  w.ts_recent = ts_recent_;
  w.ts_recent_at = ts_recent_at_;
  w.clock = setup_.clock;
  w.expires_at = now + kTimeWaitUs;
  return w;
}

}  // namespace sluice::sim
