// SPDX-License-Identifier: BSD-3-Clause
// A stranger who knows the addresses and ports of a connection, and sweeps segments of every kind
// through it: the flow, its timer, its port and what is counted of it stay as they are.
#include <random>

#include "tests/stage/stage.h"
#include "tests/unit/sanitized.h"

namespace sluice::test {
namespace {

constexpr int kSweepCount = rounds(72'000);
constexpr uint32_t kSweepStep = UINT32_MAX / kSweepCount;  // once round the circle

class Stranger : public Stage {
 protected:
  Flow& the_flow() { return core->flows[flow()]; }

  /// Every frame of a sweep is passed on, or dropped: the flow does not care.
  void sweep(bool as_client, uint8_t flags, const Bytes& options = {}) {
    std::vector<Bytes> frames;
    uint32_t sequence = static_cast<uint32_t>(random_());
    for (int i = 0; i < kSweepCount; ++i, sequence += kSweepStep) {
      const auto ack = static_cast<uint32_t>(random_());
      Tcp tcp = as_client ? inbound(flags, sequence, ack, options)
                          : outbound(flags, sequence, ack, options);
      tcp.window = 65535;
      frames.push_back(tcp_frame(tcp));
      if (frames.size() == 32 || i + 1 == kSweepCount) {
        burst(as_client ? kClientLink : kBackendLink, frames);
        frames.clear();
        sent.clear();
      }
    }
  }

  std::mt19937 random_{12};
};

TEST_F(Stranger, SweepsLeaveAnEstablishedFlowAsItIs) {
  start();
  establish(1000, 5000, option::timestamps(70, 1));
  pass(1000);
  sent.clear();
  const uint32_t seen = the_flow().last_seen_ms;
  const uint32_t tsval = the_flow().ts_recent;
  for (const bool as_client : {true, false}) {
    for (const uint8_t flags : {kAck, kFin, kRst, kRstAck}) {
      sweep(as_client, flags, option::timestamps(0x40000000, 7));
      SCOPED_TRACE(testing::Message() << (as_client ? "client, " : "backend, ") << int{flags});
      ASSERT_EQ(name_of(state()), "established");
      EXPECT_EQ(the_flow().bytes_in(), 0u);
      EXPECT_EQ(the_flow().bytes_out(), 0u);
      EXPECT_EQ(the_flow().last_seen_ms, seen);
      EXPECT_EQ(the_flow().ts_recent, tsval);
      EXPECT_TRUE(pool().ports.in_use(local_.port.host()));
    }
  }
  // And the ends talk on.
  Tcp data = inbound(kAck, 1001, 5001, option::timestamps(75, 1));
  data.payload = Bytes(10);
  from_client(data);
  only(kBackendLink);
  EXPECT_EQ(the_flow().bytes_in(), 10u);
  EXPECT_EQ(the_flow().last_seen_ms, core->now32());
  from_client(inbound(kRst, 1011));
  only(kBackendLink);
  EXPECT_EQ(name_of(state()), "closed");
}

TEST_F(Stranger, ARstInTheWindowIsForItsReceiverToJudge) {
  start();
  establish(1000, 5000);
  pass(1000);
  const uint32_t seen = the_flow().last_seen_ms;
  from_client(inbound(kRst, 1500));
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
  EXPECT_EQ(name_of(state()), "established");
  EXPECT_EQ(the_flow().last_seen_ms, seen);
  from_backend(outbound(kAck, 5001, 1001));  // the challenge; the client's kernel answers
  only(kClientLink);
  from_client(inbound(kRst, 1001));
  only(kBackendLink);
  EXPECT_EQ(name_of(state()), "closed");
}

// A segment that neither end takes is not a sign of life.
TEST_F(Stranger, DoesNotKeepAFlowAlive) {
  Scene scene;
  scene.timeouts_ms.fill(5000);
  start(scene);
  establish(1000, 5000);
  for (int i = 0; i < 3; ++i) {
    pass(1500);
    from_client(inbound(kAck, 1001 + 100'000, 5001));
    from_client(inbound(kFin, 1001, 9001));
    from_client(inbound(net::tcp_flag::kFin, 1001));
    from_client(inbound(kRst, 1500));
    sent.clear();
  }
  pass(600);
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
