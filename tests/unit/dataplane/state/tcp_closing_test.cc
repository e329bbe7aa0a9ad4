// SPDX-License-Identifier: BSD-3-Clause
// How connections end, and whether the backend is left in TIME_WAIT.
//
// "held" is right exactly where the backend's own first FIN did not acknowledge the client's: it
// went through FIN-WAIT-1 and not through LAST-ACK.
#include "tests/unit/dataplane/state/tcp_tables.h"
#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

using namespace test;
using enum FlowState;

struct Ending {
  const char* name;
  std::vector<Row> rows;
};

void play_all(std::initializer_list<Ending> endings) {
  for (const Ending& ending : endings) {
    SCOPED_TRACE(ending.name);
    at_every_wrap([&](Conversation& c) {
      c.establish();
      for (size_t i = 0; i < ending.rows.size(); ++i) {
        c.last = c.read(ending.rows[i]);
        ASSERT_EQ(name_of(c.track.state()), name_of(ending.rows[i].state)) << "after row " << i;
      }
    });
  }
}

TEST(TcpClosing, TheClientFirst) {
  play_all({
      {"four segments",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kAck, 1, 2, 0, kClientClosed},
        {kB, kFin, 1, 2, 0, kClientFirst},
        {kC, kAck, 2, 2, 0, kClosed}}},
      {"three segments",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kFin, 1, 2, 0, kClientFirst},
        {kC, kAck, 2, 2, 0, kClosed}}},
      {"FIN with data",
       {{kC, kFin, 1, 1, 100, kClientClosed},
        {kB, kFin, 1, 102, 200, kClientFirst},
        {kC, kAck, 102, 202, 0, kClosed}}},
      {"half-closed for long: the backend goes on sending",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kAck, 1, 2, 500, kClientClosed},
        {kC, kAck, 2, 501, 0, kClientClosed},
        {kB, kAck, 501, 2, 500, kClientClosed},
        {kC, kAck, 2, 1001, 0, kClientClosed},
        {kB, kFin, 1001, 2, 0, kClientFirst},
        {kC, kAck, 2, 1002, 0, kClosed}}},
      {"each FIN sent again",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kFin, 1, 2, 0, kClientFirst},
        {kC, kFin, 1, 1, 0, kClientFirst},
        {kB, kFin, 1, 2, 0, kClientFirst},
        {kC, kAck, 2, 2, 0, kClosed},
        {kB, kFin, 1, 2, 0, kClosed}}},
      {"the FIN overtakes data",
       {{kC, kFin, 101, 1, 0, kClientClosed},
        {kB, kAck, 1, 1, 0, kClientClosed},
        {kC, kAck, 1, 1, 100, kClientClosed},
        {kB, kFin, 1, 102, 0, kClientFirst},
        {kC, kAck, 102, 2, 0, kClosed}}},
  });
}

TEST(TcpClosing, TheBackendFirst) {
  play_all({
      {"four segments",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kAck, 1, 2, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait}}},
      {"three segments",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait}}},
      {"FIN with data, as HTTP/1.0 ends",
       {{kC, kAck, 1, 1, 100, kEstablished},
        {kB, kFin, 1, 101, 500, kBackendClosed},
        {kC, kFin, 101, 502, 0, kBackendFirst},
        {kB, kAck, 502, 102, 0, kTimeWait}}},
      {"half-closed for long: the client goes on sending",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kAck, 1, 2, 500, kBackendClosed},
        {kB, kAck, 2, 501, 0, kBackendClosed},
        {kC, kFin, 501, 2, 500, kBackendFirst},
        {kB, kAck, 2, 1002, 0, kTimeWait}}},
      {"each FIN sent again",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait},
        {kC, kFin, 1, 2, 0, kTimeWait}}},
      {"the client's FIN left before it saw the backend's",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kFin, 1, 1, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kBackendFirst},
        {kC, kAck, 2, 2, 0, kTimeWait}}},
      {"the last acknowledgement is lost",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait}}},
  });
}

TEST(TcpClosing, BothAtOnce) {
  play_all({
      {"crossed, ours sees the client's first",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kFin, 1, 1, 0, kBackendFirst},
        {kC, kAck, 2, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait}}},
      {"crossed with data",
       {{kC, kFin, 1, 1, 10, kClientClosed},
        {kB, kFin, 1, 1, 20, kBackendFirst},
        {kB, kAck, 22, 12, 0, kBackendFirst},
        {kC, kAck, 12, 22, 0, kTimeWait}}},
      {"the backend has the client's data but not its FIN",
       {{kC, kFin, 1, 1, 10, kClientClosed},
        {kB, kFin, 1, 11, 0, kBackendFirst},
        {kC, kFin, 1, 2, 10, kBackendFirst},
        {kB, kAck, 2, 12, 0, kTimeWait}}},
      {"crossed, and the backend's FIN sent again acknowledges: its first did not",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kFin, 1, 1, 0, kBackendFirst},
        {kB, kFin, 1, 2, 0, kBackendFirst},
        {kC, kAck, 2, 2, 0, kTimeWait}}},
  });
}

// Its receiver drops it, so the sender will have to say it again.
TEST(TcpClosing, AFinWithoutAckIsNone) {
  constexpr uint8_t kBareFin = net::tcp_flag::kFin;
  play_all({
      {"of the client",
       {{kC, kBareFin, 1, 0, 0, kEstablished},
        {kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst},
        {kB, kAck, 2, 2, 0, kTimeWait}}},
      {"of the backend",
       {{kB, kBareFin, 1, 0, 0, kEstablished},
        {kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kFin, 1, 2, 0, kClientFirst},
        {kC, kAck, 2, 2, 0, kClosed}}},
      {"of the client, after the backend's",
       {{kB, kFin, 1, 1, 0, kBackendClosed},
        {kC, kBareFin, 1, 0, 0, kBackendClosed},
        {kC, kFin, 1, 2, 0, kBackendFirst}}},
      {"of the backend, after the client's",
       {{kC, kFin, 1, 1, 0, kClientClosed},
        {kB, kBareFin, 1, 0, 0, kClientClosed},
        {kB, kFin, 1, 2, 0, kClientFirst}}},
  });
  at_every_wrap([](Conversation& c) {
    c.open();
    c.answer();
    c.play({{kC, kBareFin, 1, 0, 0, kSynReceived}, {kC, kAck, 1, 1, 0, kEstablished}});
    c.play({{kC, kBareFin, 1, 0, 10, kEstablished}, {kB, kBareFin, 1, 0, 10, kEstablished}});
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 1) << "nor is its data taken";
    EXPECT_EQ(c.track.backend_snd_nxt(), c.backend_isn() + 1);
  });
}

TEST(TcpClosing, NumbersLeftBehind) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    c.play({{kC, kAck, 1, 1, 300, kEstablished},
            {kB, kFin, 1, 301, 50, kBackendClosed},
            {kC, kFin, 301, 52, 0, kBackendFirst},
            {kB, kAck, 52, 302, 0, kTimeWait}});
    EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + 302)
        << "RCV.NXT of the backend's TIME_WAIT";
    EXPECT_EQ(c.track.backend_snd_nxt(), c.backend_isn() + 52);
  });
}

TEST(TcpClosing, LateSegmentsChangeNothingThatIsOver) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    c.play({{kB, kFin, 1, 1, 0, kBackendClosed},
            {kC, kFin, 1, 2, 0, kBackendFirst},
            {kB, kAck, 2, 2, 0, kTimeWait},
            {kC, kRst, 2, 0, 0, kTimeWait},
            {kB, kRst, 2, 0, 0, kTimeWait},
            {kC, kAck, 2, 2, 0, kTimeWait}});
  });
}

// A long stream: the circle is gone round more than once, windows slide all the way.
TEST(TcpClosing, AfterManyTurnsOfTheCircle) {
  Conversation c(0xfffffff0, 7);
  c.establish(
      {.client_scale = 14, .backend_scale = 14, .client_window = 65535, .backend_window = 65535});
  constexpr uint32_t kChunk = 60'000;
  constexpr uint64_t kTotal = uint64_t{test::kSanitized ? 5 : 20} << 30;
  uint32_t sent = 1;
  for (uint64_t total = 0; total < kTotal; total += kChunk) {
    c.read({kC, kAck, sent, 1, kChunk, kEstablished});
    sent += kChunk;
    c.read({kB, kAck, 1, sent, 0, kEstablished, 65535});
    total += 200 * kChunk;  // the window is large: leap
    sent += 200 * kChunk;
    c.read({kC, kAck, sent - kChunk, 1, kChunk, kEstablished});
    c.read({kB, kAck, 1, sent, 0, kEstablished, 65535});
  }
  EXPECT_EQ(c.track.client_snd_nxt(), c.client_isn() + sent);
  EXPECT_EQ(c.track.backend_expects(), c.client_isn() + sent);
  c.play({{kB, kFin, 1, sent, 0, kBackendClosed},
          {kC, kFin, sent, 2, 0, kBackendFirst},
          {kB, kAck, 2, sent + 1, 0, kTimeWait}});
}

}  // namespace
}  // namespace sluice
