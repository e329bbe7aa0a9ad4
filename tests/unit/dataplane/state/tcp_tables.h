// SPDX-License-Identifier: BSD-3-Clause
// A connection as a table of packets: who sends what, and the state that it leaves.
//
// Numbers are relative: `seq` to the sender's initial sequence number, `ack` to the other's. Every
// table is played at several initial numbers, so that each crosses the wrap somewhere.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>

#include "dataplane/net/tcp_options.h"
#include "dataplane/state/tcp_track.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::test {

enum class By : uint8_t { kClient, kBackend };
inline constexpr By kC = By::kClient;
inline constexpr By kB = By::kBackend;

inline constexpr uint8_t kFin = net::tcp_flag::kFin | net::tcp_flag::kAck;
inline constexpr uint8_t kSyn = net::tcp_flag::kSyn;
inline constexpr uint8_t kSynAck = net::tcp_flag::kSyn | net::tcp_flag::kAck;
inline constexpr uint8_t kRst = net::tcp_flag::kRst;
inline constexpr uint8_t kAck = net::tcp_flag::kAck;

struct Row {
  By by;
  uint8_t flags;
  uint32_t seq;
  uint32_t ack;
  uint32_t length;  // of the payload
  FlowState state;  // afterwards
  uint16_t window = 1000;
};

struct Handshake {
  int client_scale = -1;  // -1: no option
  int backend_scale = -1;
  uint16_t client_window = 1000;
  uint16_t backend_window = 1000;
  uint32_t syn_data = 0;
  uint32_t syn_data_acked = 0;
};

/// Does to a TcpTrack what the stages do.
class Conversation {
 public:
  Conversation(uint32_t client_isn, uint32_t backend_isn)
      : client_isn_(client_isn), backend_isn_(backend_isn) {}

  void open(const Handshake& h = {}) {
    frame_ = tcp_frame({.flags = kSyn,
                        .sequence = client_isn_,
                        .window = h.client_window,
                        .options = scale(h.client_scale),
                        .payload = Bytes(h.syn_data)});
    const net::Packet syn = net::parse(frame_);
    const net::TcpOptions options = net::parse_tcp_options(*syn.tcp);
    track.open(bounds, syn, options.window_scale, options.has_window_scale);
  }
  void answer(const Handshake& h = {}) {
    frame_ = tcp_frame({.flags = kSynAck,
                        .sequence = backend_isn_,
                        .acknowledgement = client_isn_ + 1 + h.syn_data_acked,
                        .window = h.backend_window,
                        .options = scale(h.backend_scale)});
    const net::Packet syn_ack = net::parse(frame_);
    ASSERT_TRUE(track.answers_syn(syn_ack.tcp->acknowledgement.host()));
    const net::TcpOptions options = net::parse_tcp_options(*syn_ack.tcp);
    track.answer(bounds, syn_ack, options.window_scale, options.has_window_scale);
  }
  void establish(const Handshake& h = {}) {
    open(h);
    answer(h);
    play({{kC, kAck, 1 + h.syn_data, 1, 0, FlowState::kEstablished, h.client_window}});
  }

  TcpReading read(const Row& row) {
    const bool client = row.by == By::kClient;
    const uint32_t own = client ? client_isn_ : backend_isn_,
                   other = client ? backend_isn_ : client_isn_;
    frame_ = tcp_frame({.flags = row.flags,
                        .sequence = own + row.seq,
                        .acknowledgement = (row.flags & kAck) != 0 ? other + row.ack : 0,
                        .window = row.window,
                        .payload = Bytes(row.length)});
    const net::Packet packet = net::parse(frame_);
    const TcpReading reading =
        client ? track.inbound(bounds, packet) : track.outbound(bounds, packet);
    if (reading.event != TcpEvent::kNone) track.advance(reading.event);
    return reading;
  }

  void play(std::initializer_list<Row> rows) {
    int number = 0;
    for (const Row& row : rows) {
      last = read(row);
      EXPECT_EQ(name_of(track.state()), name_of(row.state)) << "after row " << number;
      ++number;
    }
  }

  uint32_t client_isn() const { return client_isn_; }
  uint32_t backend_isn() const { return backend_isn_; }

  TcpTrack track{};
  TcpBounds bounds{};
  TcpReading last;

 private:
  static Bytes scale(int adjust) {
    return adjust < 0 ? Bytes{} : option::window_scale(static_cast<uint8_t>(adjust));
  }

  uint32_t client_isn_;
  uint32_t backend_isn_;
  Bytes frame_;
};

/// Plays `script(conversation)` at initial numbers of every kind.
template <typename Script>
void at_every_wrap(Script&& script) {
  const uint32_t numbers[] = {0, 1000, 0x7ffffff0, 0xffffffff, 0xfffffffe, 0xffffff9c, 0xfffffc18};
  for (const uint32_t client : numbers) {
    for (const uint32_t backend : numbers) {
      SCOPED_TRACE(testing::Message() << "initial numbers " << client << ", " << backend);
      Conversation conversation(client, backend);
      script(conversation);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace sluice::test
