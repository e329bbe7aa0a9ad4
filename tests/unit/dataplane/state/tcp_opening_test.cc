// SPDX-License-Identifier: BSD-3-Clause
// How connections begin: handshakes, retransmissions, data on the SYN, windows and their scale.
#include "tests/unit/dataplane/state/tcp_tables.h"

namespace sluice {
namespace {

using namespace test;
using enum FlowState;

TEST(TcpTable, OverIsForEver) {
  for (const FlowState over : {kClosed, kTimeWait}) {
    for (size_t event = 0; event < kTcpEventCount; ++event) {
      EXPECT_EQ(next_state(over, static_cast<TcpEvent>(event)), over);
    }
  }
}

TEST(TcpTable, NothingMovesWithoutAnEventAndAnyRstEnds) {
  for (size_t s = 0; s < kTcpStateCount; ++s) {
    const auto state = static_cast<FlowState>(s);
    EXPECT_EQ(next_state(state, TcpEvent::kNone), state);
    EXPECT_TRUE(is_closed(next_state(state, TcpEvent::kBackendRst)));
    if (state == kSynSent) continue;  // nobody has answered yet: what the backend holds is unknown
    EXPECT_TRUE(is_closed(next_state(state, TcpEvent::kClientRst)));
  }
}

TEST(TcpOpening, Handshake) {
  at_every_wrap([](Conversation& c) {
    c.open();
    EXPECT_EQ(c.track.state(), kSynSent);
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1);
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 1);
    c.answer();
    EXPECT_EQ(c.track.state(), kSynReceived);
    EXPECT_EQ(c.track.client_expects(), c.backend_isn() + 1);
    EXPECT_EQ(c.track.backend_snd_nxt(), c.backend_isn() + 1);
    c.play({{kC, kAck, 1, 1, 0, kEstablished}});
  });
}

TEST(TcpOpening, WhatCompletesAHandshakeAndWhatDoesNot) {
  struct Case {
    const char* name;
    Row row;
  };
  const Case cases[] = {
      {"data that acknowledges", {kC, kAck, 1, 1, 10, kEstablished}},
      {"an ACK of nothing", {kC, kAck, 1, 0, 0, kSynReceived}},
      {"an ACK of what was not sent", {kC, kAck, 1, 2, 0, kSynReceived}},
      {"FIN that acknowledges", {kC, kFin, 1, 1, 0, kClientClosed}},
      {"the SYN-ACK again", {kB, kSynAck, 0, 1, 0, kSynReceived}},
      {"the SYN again", {kC, kSyn, 0, 0, 0, kSynReceived}},
      {"FIN of the backend", {kB, kFin, 1, 1, 0, kBackendClosed}},
      {"backend data before the ACK", {kB, kAck, 1, 1, 5, kSynReceived}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    at_every_wrap([&](Conversation& c) {
      c.open();
      c.answer();
      c.play({each.row});
    });
  }
}

TEST(TcpOpening, AnswersOfASyn) {
  at_every_wrap([](Conversation& c) {
    c.open({.syn_data = 10});
    const auto answers = [&](uint32_t ack) { return c.track.answers_syn(c.client_isn() + ack); };
    EXPECT_FALSE(answers(0));
    EXPECT_TRUE(answers(1)) << "the data was not taken (RFC 7413)";
    EXPECT_TRUE(answers(6));
    EXPECT_TRUE(answers(11));
    EXPECT_FALSE(answers(12));
    EXPECT_FALSE(answers(0x80000000));
  });
}

TEST(TcpOpening, TheSameSynAgain) {
  at_every_wrap([](Conversation& c) {
    c.open();
    EXPECT_TRUE(c.track.is_same_syn(c.bounds, c.client_isn()));
    EXPECT_FALSE(c.track.is_same_syn(c.bounds, c.client_isn() + 1));
    EXPECT_FALSE(c.track.is_same_syn(c.bounds, c.client_isn() - 1));
    c.answer();
    EXPECT_TRUE(c.track.is_same_syn(c.bounds, c.client_isn())) << "the SYN-ACK was lost behind us";
    c.play({{kC, kAck, 1, 1, 0, kEstablished}});
    EXPECT_FALSE(c.track.is_same_syn(c.bounds, c.client_isn()));
  });
}

// The backend took the data (RFC 7413), its SYN-ACK was lost behind us: still the same SYN.
TEST(TcpOpening, TheSameSynAgainWhenItsDataWasAcknowledged) {
  at_every_wrap([](Conversation& c) {
    c.open({.syn_data = 10});
    EXPECT_TRUE(c.track.is_same_syn(c.bounds, c.client_isn()));
    c.answer({.syn_data_acked = 10});
    EXPECT_TRUE(c.track.is_same_syn(c.bounds, c.client_isn()));
    EXPECT_FALSE(c.track.is_same_syn(c.bounds, c.client_isn() + 10));
  });
}

TEST(TcpOpening, DataOnTheSyn) {
  at_every_wrap([](Conversation& c) {
    c.establish({.syn_data = 10, .syn_data_acked = 10});
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 11);
    c.play({{kC, kFin, 11, 1, 0, kClientClosed},
            {kB, kFin, 1, 12, 0, kClientFirst},
            {kC, kAck, 12, 2, 0, kClosed}});
  });
  at_every_wrap([](Conversation& c) {  // the backend did not take it
    c.open({.syn_data = 10});
    c.answer({.syn_data_acked = 0});
    c.play({{kC, kAck, 11, 1, 0, kEstablished},
            {kC, kAck, 1, 1, 10, kEstablished},
            {kB, kAck, 1, 11, 0, kEstablished}});
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 11);
  });
}

TEST(TcpOpening, NumbersFollowDataBothWays) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    c.play({
        {kC, kAck, 1, 1, 100, kEstablished},
        {kB, kAck, 1, 101, 500, kEstablished},
        {kC, kAck, 101, 501, 0, kEstablished},
        {kC, kAck, 201, 501, 100, kEstablished},  // 101..200 was lost
        {kB, kAck, 501, 101, 0, kEstablished},    // and says so
    });
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 301);
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 101);
    EXPECT_EQ(c.track.client_expects(), c.backend_isn() + 501);
    c.play({
        {kC, kAck, 101, 501, 100, kEstablished},  // sent again
        {kB, kAck, 501, 301, 0, kEstablished},
        {kC, kAck, 1, 1, 100, kEstablished},   // an old duplicate
        {kB, kAck, 501, 101, 0, kEstablished}  // an old acknowledgement
    });
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 301);
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 301);
  });
}

TEST(TcpOpening, OutsideTheWindowChangesNothing) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    const Row strangers[] = {
        {kC, kFin, 1002, 1, 0, kEstablished},        //
        {kC, kFin, 0x80000000, 1, 0, kEstablished},  //
        {kC, kFin, 0xffffff00, 1, 0, kEstablished},  // long acknowledged
        {kB, kFin, 1002, 1, 0, kEstablished},        //
        {kB, kFin, 0x80000000, 1, 0, kEstablished},  //
        {kC, kAck, 1, 5000, 0, kEstablished},        // acknowledges what was never sent
        {kB, kAck, 1, 5000, 0, kEstablished},        //
        {kB, kAck, 1, 0x80000000, 0, kEstablished},  //
    };
    for (const Row& row : strangers) c.play({row});
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1);
    EXPECT_EQ(c.track.backend_snd_nxt(), c.backend_isn() + 1);
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 1);
    c.play({{kC, kAck, 1, 1, 1002, kEstablished}});
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1) << "more than window and probe";
    c.play({{kC, kAck, 1, 1, 1000, kEstablished}});
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1001) << "a full window";
  });
}

TEST(TcpOpening, ZeroWindowProbes) {
  at_every_wrap([](Conversation& c) {
    c.establish({.client_window = 0, .backend_window = 0});
    c.play({
        {kC, kAck, 1, 1, 1, kEstablished, 0},  // one byte beyond the edge
        {kB, kAck, 1, 1, 0, kEstablished, 0},  // refused
        {kB, kAck, 1, 1, 1, kEstablished, 0},
        {kC, kAck, 0, 1, 0, kEstablished, 0},     // Linux probes with an old sequence number
        {kB, kAck, 1, 2, 0, kEstablished, 5000},  // taken: the window opens
        {kC, kAck, 2, 2, 5000, kEstablished, 0},
    });
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 5002);
    EXPECT_EQ(c.track.backend_expects(), c.client_isn() + 2);
  });
}

TEST(TcpOpening, WindowScale) {
  struct Case {
    const char* name;
    Handshake handshake;
    uint32_t client_may_send;  // after the backend's first pure ACK of window 1000
  };
  const Case cases[] = {
      {"both", {.client_scale = 3, .backend_scale = 7}, 1000u << 7},
      {"both, the backend's is 0", {.client_scale = 3, .backend_scale = 0}, 1000},
      {"only the client: none scales", {.client_scale = 3}, 1000},
      {"none", {}, 1000},
      {"the largest", {.client_scale = 14, .backend_scale = 14}, 1000u << 14},
      {"too large counts as 14", {.client_scale = 15, .backend_scale = 200}, 1000u << 14},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    at_every_wrap([&](Conversation& c) {
      c.establish(each.handshake);
      c.play({{kB, kAck, 1, 1, 0, kEstablished}});
      const uint32_t edge = each.client_may_send + 1;
      c.play({{kC, kAck, edge + 1, 1, 1, kEstablished}});
      EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1) << "beyond the window";
      c.play({{kC, kAck, edge - 100, 1, 100, kEstablished}});
      EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + edge) << "the whole window";
    });
  }
}

// RFC 7323, section 2.2: the window of a SYN or SYN-ACK is never scaled.
TEST(TcpOpening, FirstWindowsAreNotScaled) {
  at_every_wrap([](Conversation& c) {
    c.open({.client_scale = 7, .backend_scale = 7});
    c.answer({.client_scale = 7, .backend_scale = 7});
    c.play({{kC, kFin, 1003, 1, 0, kSynReceived}});
    EXPECT_FALSE(c.last.in_window);
    c.play({{kC, kFin, 901, 1, 100, kClientClosed}});
  });
}

}  // namespace
}  // namespace sluice
