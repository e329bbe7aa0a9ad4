// SPDX-License-Identifier: BSD-3-Clause
// Which RST ends a flow, which is passed on for its receiver to judge, and which is neither
// (RFC 5961, section 3).
#include "tests/unit/dataplane/state/tcp_tables.h"

namespace sluice {
namespace {

using namespace test;
using enum FlowState;

// 100 bytes of the client are acknowledged, 50 are on their way, its window ends at 1101; the same
// for the backend with 200 and 60, and 1201.
void set_up(Conversation& c) {
  c.establish();
  c.play({
      {kC, kAck, 1, 1, 100, kEstablished},
      {kB, kAck, 1, 101, 200, kEstablished},
      {kC, kAck, 101, 201, 50, kEstablished},
      {kB, kAck, 201, 101, 60, kEstablished},
  });
}

TEST(TcpReset, InAndOutOfTheWindow) {
  struct Case {
    const char* name;
    By by;
    uint32_t seq;
    bool ends, passes;
  };
  const Case cases[] = {
      {"client, exactly what the backend acknowledged", kC, 101, true, true},
      {"client, at its newest byte", kC, 151, true, true},
      {"client, in between", kC, 120, false, true},
      {"client, one before", kC, 100, false, false},
      {"client, beyond what was sent, in the window", kC, 152, false, true},
      {"client, at the edge", kC, 1101, false, true},
      {"client, one beyond the edge", kC, 1102, false, false},
      {"client, far away", kC, 0x80000000, false, false},
      {"backend, exactly what the client acknowledged", kB, 201, true, true},
      {"backend, at its newest byte", kB, 261, true, true},
      {"backend, in between", kB, 230, false, true},
      {"backend, one before", kB, 200, false, false},
      {"backend, in the window", kB, 500, false, true},
      {"backend, at the edge", kB, 1201, false, true},
      {"backend, one beyond the edge", kB, 1202, false, false},
      {"backend, far away", kB, 0xc0000000, false, false},
  };
  for (const Case& each : cases) {
    for (const uint8_t flags : {kRst, static_cast<uint8_t>(kRst | kAck)}) {
      SCOPED_TRACE(each.name);
      at_every_wrap([&](Conversation& c) {
        set_up(c);
        c.play({{each.by, flags, each.seq, 0, 0, each.ends ? kClosed : kEstablished}});
        EXPECT_EQ(c.last.in_window, each.passes);
      });
    }
  }
}

// A program on a Mac that is interrupted sends a FIN, and a RST with the number of the FIN; Linux
// takes it (tcp_reset_check()).
TEST(TcpReset, WithTheNumberOfTheFinBeforeIt) {
  for (const By by : {kC, kB}) {
    const By other = by == kC ? kB : kC;
    at_every_wrap([&](Conversation& c) {
      set_up(c);
      const uint32_t fin = by == kC ? 151 : 261, peer = by == kC ? 261 : 151;
      const FlowState closed = by == kC ? kClientClosed : kBackendClosed;
      c.play({{by, kRst, fin - 1, 0, 0, kEstablished}});
      c.play({{by, kFin, fin, by == kC ? 261u : 151u, 0, closed},
              {other, kAck, peer, fin + 1, 0, closed},
              {by, kRst, fin - 1, 0, 0, closed},
              {by, kRst, fin, 0, 0, kClosed}});
    });
  }
}

// Data was lost behind us: the receiver answers with a challenge ACK, whose answer is right.
TEST(TcpReset, BeyondWhatWasSeenBringsASecondOne) {
  at_every_wrap([](Conversation& c) {
    set_up(c);
    c.play({{kC, kRst, 400, 0, 0, kEstablished}});  // 151..399 was lost before us
    EXPECT_TRUE(c.last.in_window);
    c.play({{kB, kAck, 261, 151, 0, kEstablished}, {kC, kRst, 151, 0, 0, kClosed}});
  });
}

TEST(TcpReset, OfEveryStateLeavesTheBackendClean) {
  struct Case {
    const char* name;
    std::vector<Row> rows;
  };
  const Case cases[] = {
      {"established", {}},
      {"the client half-closed", {{kC, kFin, 1, 1, 0, kClientClosed}}},
      {"the backend half-closed", {{kB, kFin, 1, 1, 0, kBackendClosed}}},
      {"the backend in LAST-ACK",
       {{kC, kFin, 1, 1, 0, kClientClosed}, {kB, kFin, 1, 2, 0, kClientFirst}}},
  };
  for (const Case& each : cases) {
    for (const By by : {kC, kB}) {
      SCOPED_TRACE(testing::Message()
                   << each.name << (by == kC ? ", by the client" : ", by the backend"));
      at_every_wrap([&](Conversation& c) {
        c.establish();
        for (const Row& row : each.rows) c.read(row);
        const uint32_t own = by == kC ? c.track.client_snd_nxt() - c.client_isn()
                                      : c.track.backend_snd_nxt() - c.backend_isn();
        c.play({{by, kRst, own, 0, 0, kClosed}});
      });
    }
  }
}

// RFC 1337: a RST may find the backend in TIME_WAIT already, and be ignored there.
TEST(TcpReset, OfTheClientInTimeWaitLeavesItHeld) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    c.play({{kB, kFin, 1, 1, 0, kBackendClosed},
            {kC, kFin, 1, 2, 0, kBackendFirst},
            {kC, kRst, 2, 0, 0, kTimeWait}});
  });
  at_every_wrap([](Conversation& c) {  // the backend's own: it has no socket
    c.establish();
    c.play({{kB, kFin, 1, 1, 0, kBackendClosed},
            {kC, kFin, 1, 2, 0, kBackendFirst},
            {kB, kRst, 2, 0, 0, kClosed}});
  });
}

TEST(TcpReset, OfAClientThatGivesUpItsSyn) {
  at_every_wrap([](Conversation& c) {
    c.open();
    c.play({{kC, kRst, 0, 0, 0, kSynSent}});
    EXPECT_FALSE(c.last.in_window);
    c.play({{kC, kRst, 2, 0, 0, kSynSent}});
    EXPECT_FALSE(c.last.in_window);
    c.play({{kC, kRst, 1, 0, 0, kSynSent}});
    EXPECT_TRUE(c.last.in_window);
    EXPECT_EQ(c.last.event, TcpEvent::kClientRst)
        << "what the backend holds stays the ledger's matter";
  });
}

TEST(TcpReset, DuringTheHandshake) {
  at_every_wrap([](Conversation& c) {
    c.open();
    c.answer();
    c.play({{kC, kRst, 1, 0, 0, kClosed}});
  });
  at_every_wrap([](Conversation& c) {
    c.open();
    c.answer();
    c.play({{kB, kRst, 1, 0, 0, kClosed}});
  });
}

// A client whose socket is gone answers each late segment at the number that it acknowledged.
TEST(TcpReset, AnswersToLateSegmentsOfAnOldAcknowledgement) {
  at_every_wrap([](Conversation& c) {
    set_up(c);
    c.play({{kC, kRst, 101, 0, 0, kClosed}, {kC, kRst, 101, 0, 0, kClosed}});
    EXPECT_TRUE(c.last.in_window) << "passed on once more";
  });
}

}  // namespace
}  // namespace sluice
