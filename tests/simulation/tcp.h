// SPDX-License-Identifier: BSD-3-Clause
// A little TCP, the same for clients and backends: handshake, data in small segments,
// retransmission, out-of-order arrival with SACK, PAWS, challenge ACKs (RFC 5961), FIN by either
// side, RST.
//
// It answers through an Outbox and keeps one deadline; its host tells it the time. What it does
// with a SYN in the middle of a connection, and how often it answers what is out of window, follows
// Linux (tcp_input.c tcp_validate_incoming, tcp_minisocks.c tcp_check_req).
//
// Every byte of a stream is a function of (connection, direction, position), so a byte that belongs
// elsewhere is seen by whoever receives it.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <span>

#include "tests/simulation/clock.h"
#include "tests/simulation/path_error.h"
#include "tests/simulation/segment.h"
#include "tests/simulation/time_wait.h"

namespace sluice::sim {

class Outbox {
 public:
  virtual void transmit(const Segment& segment, uint32_t connection) = 0;
  // What a host knows of the way to another.
  virtual uint16_t path_mtu(uint32_t /*local*/, uint32_t /*remote*/, TimeUs /*now*/) const {
    return kMtuMax;
  }

 protected:
  ~Outbox() = default;
};

enum class TcpState : uint8_t {
  closed,
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  closing,
  time_wait,
  close_wait,
  last_ack,
};

const char* name_of(TcpState state);

enum class Ending : uint8_t { none, graceful, refused, reset, gave_up, aborted };

const char* name_of(Ending ending);

struct TcpSetup {
  Address local;
  Address remote;
  uint32_t connection = 0;
  uint64_t send_key = 0;     // what the bytes that it sends are made of
  uint64_t receive_key = 0;  // and those that it must receive
  TimestampClock clock;
  uint32_t iss = 0;
  bool timestamps = true;
  bool sack = true;
  uint8_t window_scale = 7;
  uint16_t segment_size = 100;
  uint16_t header_size = 0;  // what stands in front of the stream that it receives
};

constexpr unsigned kHeaderMax = 80;

class Tcp {
 public:
  void connect(const TcpSetup& setup, TimeUs now, Outbox& out);
  void accept(const TcpSetup& setup, const Segment& syn, TimeUs now, Outbox& out);

  void receive(const Segment& segment, TimeUs now, Outbox& out);
  // Packets do not get there as they are; the host has learnt what does.
  void path_shrank(const PathError& error, TimeUs now, Outbox& out);
  void on_deadline(TimeUs now, Outbox& out);

  // The application's side. What it asks for leaves with the next flush().
  void write(uint32_t bytes) { written_ += bytes; }
  void close();
  void abort(TimeUs now, Outbox& out);
  void flush(TimeUs now, Outbox& out);

  TcpState state() const { return state_; }
  Ending ending() const { return ending_; }
  TimeUs deadline() const { return deadline_; }
  const TcpSetup& setup() const { return setup_; }
  // Of the stream; of the header in front of it.
  uint32_t received() const {
    return received_ - std::min<uint32_t>(received_, setup_.header_size);
  }
  bool has_header() const { return setup_.header_size != 0 && received_ >= setup_.header_size; }
  std::span<const uint8_t> header() const { return {header_.data(), setup_.header_size}; }
  bool sent_all() const { return sent_fin_or_data_acknowledged(); }
  bool peer_closed() const { return peer_closed_; }
  bool corrupt() const { return corrupt_; }
  bool saw_bare_ack_to_syn() const { return bare_ack_to_syn_; }
  unsigned syns_sent() const { return syns_sent_; }
  unsigned retransmissions() const { return retransmissions_; }
  uint32_t rcv_nxt() const { return rcv_nxt_; }
  uint32_t snd_max() const { return snd_max_; }
  bool timestamps() const { return timestamps_; }
  bool sack() const { return sack_; }

  TimeWait leave_behind(Stack stack, TimeUs now) const;

 private:
  static constexpr unsigned kGapsMax = 4;

  bool sent_fin_or_data_acknowledged() const { return snd_una_ == snd_max_ && nothing_unsent(); }
  bool nothing_unsent() const;
  void begin(const TcpSetup& setup);
  void finish(Ending ending);

  void receive_syn_sent(const Segment& s, TimeUs now, Outbox& out);
  void receive_syn_received(const Segment& s, TimeUs now, Outbox& out);
  void receive_synchronized(const Segment& s, TimeUs now, Outbox& out);
  bool validate(const Segment& s, TimeUs now, Outbox& out);
  void take_ack(const Segment& s, TimeUs now, Outbox& out);
  void take_payload(const Segment& s);
  bool take_header(const Segment& s, uint32_t position);
  void remember(uint32_t left, uint32_t right);
  void take_remembered();
  void take_fin();

  bool paws_rejects(const Segment& s) const;
  void answer_out_of_window(const Segment& s, TimeUs now, Outbox& out);
  void retransmit(TimeUs now, Outbox& out);
  void pump(TimeUs now, Outbox& out);
  uint32_t segment_size_for(TimeUs now, const Outbox& out) const;
  void send_syn(TimeUs now, Outbox& out);
  void send_ack(TimeUs now, Outbox& out);
  void send_stream(uint32_t seq, uint32_t size, bool fin, TimeUs now, Outbox& out);
  Segment make(uint32_t seq, uint8_t flags, TimeUs now) const;
  void arm(TimeUs now);

  TcpSetup setup_;
  TcpState state_ = TcpState::closed;
  Ending ending_ = Ending::none;
  bool timestamps_ = false;
  bool sack_ = false;
  bool fin_wanted_ = false;
  bool ack_pending_ = false;
  bool peer_closed_ = false;
  bool peer_fin_known_ = false;
  bool corrupt_ = false;
  bool bare_ack_to_syn_ = false;
  uint8_t duplicate_acks_ = 0;
  uint8_t backoff_ = 0;
  uint8_t gap_count_ = 0;
  uint16_t syns_sent_ = 0;
  uint16_t peer_mss_ = kMssOfAll;
  uint16_t retransmissions_ = 0;
  uint32_t snd_una_ = 0;
  uint32_t snd_nxt_ = 0;
  uint32_t snd_max_ = 0;
  uint32_t irs_ = 0;
  uint32_t rcv_nxt_ = 0;
  uint32_t ts_recent_ = 0;
  uint32_t written_ = 0;   // bytes the application wrote
  uint32_t received_ = 0;  // bytes delivered to it, in order
  uint32_t peer_fin_ = 0;
  uint32_t first_tsval_ = 0;
  std::array<uint8_t, kHeaderMax> header_ = {};
  std::bitset<kHeaderMax> header_known_;
  SackBlock gaps_[kGapsMax] = {};  // what arrived beyond rcv_nxt
  TimeUs ts_recent_at_ = 0;
  TimeUs out_of_window_ack_at_ = kNever;
  TimeUs deadline_ = kNever;
};

}  // namespace sluice::sim
