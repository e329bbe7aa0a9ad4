// SPDX-License-Identifier: BSD-3-Clause
// Who knows the addresses and ports of a connection but not its numbers moves nothing (RFC 5961);
// and what the ends themselves send, however late, old or odd, still counts.
#include <cstring>
#include <random>

#include "tests/unit/dataplane/state/tcp_tables.h"

namespace sluice {
namespace {

using namespace test;
using enum FlowState;

constexpr uint32_t kStep = 60'000;  // below a window: one of the sweep lies in it
constexpr uint8_t kBareFin = net::tcp_flag::kFin;
constexpr uint8_t kRstAck = net::tcp_flag::kRst | net::tcp_flag::kAck;

struct Numbers {
  TcpTrack track;
  TcpBounds bounds;

  explicit Numbers(const Conversation& c) : track(c.track), bounds(c.bounds) {}
  friend bool operator==(const Numbers& a, const Numbers& b) {
    return std::memcmp(&a.track, &b.track, sizeof a.track) == 0 &&
           std::memcmp(&a.bounds, &b.bounds, sizeof a.bounds) == 0;
  }
};

/// Segments of one kind over the whole space of sequence numbers, with acknowledgements that are
/// neither what is due nor up to a window older. Expects that none means anything.
void sweep(Conversation& c, By by, uint8_t flags, uint16_t payload) {
  static std::mt19937 random(61);
  const Numbers before(c);
  Bytes frame = tcp_frame({.flags = flags, .window = 65535, .payload = Bytes(payload)});
  const net::Packet packet = net::parse(frame);
  const bool client = by == By::kClient;
  const uint32_t due = client ? c.track.backend_snd_nxt() : c.track.client_snd_nxt();
  uint32_t sequence = static_cast<uint32_t>(random());
  for (uint32_t i = 0; i < 72'000; ++i, sequence += kStep) {
    packet.tcp->sequence = net::be32::from_host(sequence);
    const uint32_t off = 1 + static_cast<uint32_t>(random()) % (UINT32_MAX - (1u << 24));
    packet.tcp->acknowledgement = net::be32::from_host((flags & kAck) != 0 ? due + off : 0);
    const TcpReading reading =
        client ? c.track.inbound(c.bounds, packet) : c.track.outbound(c.bounds, packet);
    if (reading.event != TcpEvent::kNone || !(Numbers(c) == before) ||
        (reading.in_window && (flags & kRst) == 0)) {
      FAIL() << (client ? "client, " : "backend, ") << "flags " << int{flags} << ", sequence "
             << sequence << ", state " << name_of(c.track.state());
    }
  }
}

struct Stage {
  FlowState state;
  std::vector<Row> rows;
};

TEST(TcpStranger, SweepsMoveNothingInAnyState) {
  constexpr Handshake kLarge = {
      .client_scale = 7, .backend_scale = 7, .client_window = 64240, .backend_window = 64240};
  const Stage stages[] = {
      {kSynReceived, {}},
      {kEstablished, {{kC, kAck, 1, 1, 0, kEstablished, 502}}},
      {kClientClosed, {{kC, kFin, 1, 1, 0, kClientClosed, 502}}},
      {kBackendClosed,
       {{kC, kAck, 1, 1, 0, kEstablished, 502}, {kB, kFin, 1, 1, 0, kBackendClosed, 502}}},
      {kClientFirst,
       {{kC, kFin, 1, 1, 0, kClientClosed, 502}, {kB, kFin, 1, 2, 0, kClientFirst, 502}}},
      {kBackendFirst,
       {{kC, kAck, 1, 1, 0, kEstablished, 502},
        {kB, kFin, 1, 1, 0, kBackendClosed, 502},
        {kC, kFin, 1, 2, 0, kBackendFirst, 502}}},
  };
  for (const Stage& stage : stages) {
    for (const By by : {kC, kB}) {
      Conversation c(0xfffff000, 0x7ffffff0);
      c.open(kLarge);
      c.answer(kLarge);
      for (const Row& row : stage.rows) c.read(row);
      ASSERT_EQ(name_of(c.track.state()), name_of(stage.state));
      for (const uint8_t flags : {kAck, kFin, kBareFin}) {
        for (const uint16_t payload : {0, 100}) sweep(c, by, flags, payload);
      }
      // What the sweeps before have not raised, no RST can hit but by the very number.
      for (const uint8_t flags : {kRst, kRstAck}) sweep(c, by, flags, 0);
      if (HasFailure()) return;
    }
  }
}

TEST(TcpStranger, AnAcknowledgementMustBePossible) {
  struct Case {
    const char* name;
    uint32_t ack;  // of 1,001 to 1,201 that are due
    bool moves;
  };
  const Case cases[] = {
      {"of the newest byte", 1201, true},
      {"of part of what is under way", 1100, true},
      {"the last one again", 1001, true},
      {"overtaken by a newer one", 1000, true},
      {"a window old", 1, true},
      {"of what was never sent", 1202, false},
      {"far beyond", 0x40000000, false},
      {"more than the largest window old", 1001u - 1100u, false},
      {"much older", 0x90000000, false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    at_every_wrap([&](Conversation& c) {
      c.establish();
      c.play({{kB, kAck, 1, 1, 1000, kEstablished},
              {kC, kAck, 1, 1001, 0, kEstablished},
              {kB, kAck, 1001, 1, 200, kEstablished}});
      const Numbers before(c);
      c.play({{kC, kAck, 1, each.ack, 50, kEstablished, 900}});
      EXPECT_EQ(c.last.in_window, each.moves);
      EXPECT_EQ(c.track.client_snd_nxt() - c.client_isn(), each.moves ? 51u : 1u);
      EXPECT_EQ(c.track.client_bytes(c.bounds), each.moves ? 50u : 0u);
      if (!each.moves) {
        EXPECT_TRUE(Numbers(c) == before);
      }
      c.play({{kC, kFin, 51, each.ack, 0, each.moves ? kClientClosed : kEstablished}});
    });
  }
}

// Only from an acknowledgement that is not older than the last: else the window is not what is
// offered now.
TEST(TcpStranger, AnOldAcknowledgementOffersNoWindow) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    c.play({{kB, kAck, 1, 1, 1000, kEstablished},
            {kC, kAck, 1, 1001, 0, kEstablished},
            {kC, kAck, 1, 600, 0, kEstablished, 65535}});
    EXPECT_EQ(c.track.client_expects() - c.backend_isn(), 1001u);
    c.play({{kB, kAck, 2001, 1, 2, kEstablished}});
    EXPECT_EQ(c.track.backend_snd_nxt() - c.backend_isn(), 1001u) << "beyond what is offered";
    c.play({{kB, kAck, 1001, 1, 1000, kEstablished}});
    EXPECT_EQ(c.track.backend_snd_nxt() - c.backend_isn(), 2001u);
  });
}

// Beyond the window nothing counts, however right it acknowledges: not its window either.
TEST(TcpStranger, AWindowFromOutsideTheWindowIsNotOffered) {
  at_every_wrap([](Conversation& c) {
    c.establish();
    const Numbers before(c);
    c.play({{kC, kAck, 1003, 1, 0, kEstablished, 65535},
            {kC, kAck, 0xfffff000, 1, 0, kEstablished, 65535}});
    EXPECT_TRUE(Numbers(c) == before);
  });
}

TEST(TcpStranger, TheEndsThemselvesStillCount) {
  struct Case {
    const char* name;
    Row row;
    bool counts;
  };
  // 100 bytes of the client, 200 of the backend, all acknowledged.
  const Case cases[] = {
      {"keep-alive", {kC, kAck, 100, 201, 0, kEstablished}, true},
      {"keep-alive with its byte of garbage", {kC, kAck, 100, 201, 1, kEstablished}, true},
      {"the backend's", {kB, kAck, 200, 101, 0, kEstablished}, true},
      {"the same acknowledgement again", {kC, kAck, 101, 201, 0, kEstablished}, true},
      {"an update that closes the window", {kC, kAck, 101, 201, 0, kEstablished, 0}, true},
      {"data after a gap", {kC, kAck, 301, 201, 100, kEstablished}, true},
      {"a FIN after a gap", {kC, kFin, 301, 201, 0, kClientClosed}, true},
      {"old data, sent again in vain", {kC, kAck, 1, 201, 98, kEstablished}, false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    at_every_wrap([&](Conversation& c) {
      c.establish();
      c.play({{kC, kAck, 1, 1, 100, kEstablished},
              {kB, kAck, 1, 101, 200, kEstablished},
              {kC, kAck, 101, 201, 0, kEstablished}});
      c.play({each.row});
      EXPECT_EQ(c.last.in_window, each.counts);
    });
  }
}

// The largest window is remembered as it grows, and counts for late segments when it has shrunk.
TEST(TcpStranger, WindowsThatGrowAndShrink) {
  Conversation c(0xffffff9c, 0xfffffc18);
  c.establish({.client_scale = 7, .backend_scale = 7});
  c.play({{kC, kAck, 1, 1, 0, kEstablished, 1000}});
  const uint32_t offered = 1000u << 7;
  for (uint32_t at = 1; at < offered; at += offered / 4) {
    c.play({{kB, kAck, at, 1, offered / 4, kEstablished}});
  }
  EXPECT_EQ(c.track.backend_snd_nxt() - c.backend_isn(), offered + 1);
  c.play({{kC, kAck, 1, offered + 1, 0, kEstablished, 0},  // nobody reads
          {kC, kAck, 1, 1, 100, kEstablished, 1000}});     // overtaken
  EXPECT_TRUE(c.last.in_window);
  EXPECT_EQ(c.track.client_bytes(c.bounds), 100u);
  c.play({{kB, kAck, offered + 1, 101, 1, kEstablished, 0}});  // a probe
  EXPECT_TRUE(c.last.in_window);
  c.play({{kB, kAck, offered + 1, 101, 100, kEstablished, 0}});
  EXPECT_FALSE(c.last.in_window);
}

TEST(TcpStranger, TheSynAckAgain) {
  at_every_wrap([](Conversation& c) {
    c.open();
    c.answer();
    c.play({{kB, kSynAck, 0, 1, 0, kSynReceived}});
    EXPECT_TRUE(c.last.in_window);
    c.play({{kB, kSynAck, 7, 1, 0, kSynReceived}});
    EXPECT_FALSE(c.last.in_window);
  });
}

// A backend that forgot its first answer gives another number to the SYN that comes again. Which of
// them reached the client, its acknowledgement tells.
TEST(TcpStranger, AnotherSynAck) {
  at_every_wrap([](Conversation& c) {
    if (c.backend_isn() + 501 == 0) return;
    c.open();
    c.answer();
    c.play({{kB, kSynAck, 500, 1, 0, kSynReceived},
            {kC, kAck, 1, 502, 0, kSynReceived},
            {kC, kAck, 1, 501, 0, kEstablished},
            {kB, kAck, 501, 1, 100, kEstablished},
            {kC, kAck, 1, 601, 10, kEstablished}});
    EXPECT_EQ(c.track.client_expects(), c.backend_isn() + 601);
    EXPECT_EQ(c.track.backend_bytes(c.bounds), 100u);
    EXPECT_EQ(c.track.client_bytes(c.bounds), 10u);
    c.play({{kB, kAck, 601, 11, 1000, kEstablished}, {kB, kAck, 1601, 11, 2, kEstablished}});
    EXPECT_EQ(c.track.backend_bytes(c.bounds), 1100u) << "the window, and no more";
  });
  at_every_wrap([](Conversation& c) {
    c.open();
    c.answer();
    c.play({{kB, kSynAck, 500, 1, 0, kSynReceived}, {kC, kAck, 1, 1, 10, kEstablished}});
    EXPECT_EQ(c.track.client_expects(), c.backend_isn() + 1);
  });
}

}  // namespace
}  // namespace sluice
