// SPDX-License-Identifier: BSD-3-Clause
// tcp_timestamps = "rewrite": every flow of a local address on the balancer's own clock.
#include <random>

#include "dataplane/state/time_wait.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Rewrite : public Stage {
 protected:
  static bool newer_or_equal(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) >= 0; }
};

TEST_F(Rewrite, TimestampsAreOursThereAndTheClientsHere) {
  start({.rewrite_timestamps = true});
  const Sent syn = open(1000, option::nop(2) + option::timestamps(123, 0));
  EXPECT_EQ(syn.sequence(), 1000u);
  EXPECT_NE(syn.numbers().tsval, 123u);
  from_backend(outbound(kSynAck, 5000, 1001, option::timestamps(9, syn.numbers().tsval)));
  const Sent answer = only(kClientLink);
  EXPECT_EQ(answer.tsecr(), 123u);
  EXPECT_EQ(answer.numbers().tsval, 9u) << "the backend's own clock is not touched";
  pass(200);
  from_client(inbound(kAck, 1001, 5001, option::timestamps(323, 9)));
  EXPECT_EQ(only(kBackendLink).numbers().tsval, syn.numbers().tsval + 200);
}

TEST_F(Rewrite, AClientWithoutTimestampsGetsNone) {
  start({.rewrite_timestamps = true});
  const Sent syn = open(1000, option::mss(1460));
  EXPECT_FALSE(syn.numbers().timestamps);
}

// Linux before 4.12 with tcp_tw_recycle = 1 judges by host: a SYN whose TSval is older than the
// newest that the address sent within 60 s is dropped in silence.
TEST_F(Rewrite, APerHostRuleIsNeverBroken) {
  start({.ports = {2000, 2003}, .rewrite_timestamps = true});
  std::mt19937 random(22);
  uint32_t newest = 0;
  bool any = false;
  for (int turn = 0; turn < 300; ++turn, next_client()) {
    const auto isn = static_cast<uint32_t>(random()), clock = static_cast<uint32_t>(random());
    const Sent syn = open(isn, option::timestamps(clock, 0));
    const uint32_t tsval = syn.numbers().tsval;
    if (any) {
      ASSERT_TRUE(newer_or_equal(tsval, newest)) << "turn " << turn;
    }
    newest = tsval;
    any = true;
    from_backend(outbound(kSynAck, 7000, syn.sequence() + 1, option::timestamps(1, tsval)));
    const Sent answer = only(kClientLink);
    ASSERT_EQ(answer.acknowledgement(), isn + 1);
    ASSERT_EQ(answer.tsecr(), clock);
    from_client(inbound(kAck, isn + 1, 7001, option::timestamps(clock + 5, 1)));
    newest = only(kBackendLink).numbers().tsval;
    close_by_backend(isn + 1, 7001, option::timestamps(clock + 9, 1));
    pass(random() % 40);
    if (HasFailure()) return;
  }
}

TEST_F(Rewrite, AHealKeepsTheClockAndWhatTheClientSees) {
  start({.rewrite_timestamps = true});
  const Sent syn = open(1000, option::timestamps(123, 0));
  const uint32_t ahead = syn.numbers().tsval + 50'000;
  from_backend(outbound(kAck, 777, 40'000, option::timestamps(3, ahead)));
  ASSERT_EQ(sent.size(), 2u);
  const Sent again = sent[1];
  sent.clear();
  EXPECT_TRUE(
      all_take({0, 40'000, ahead, PriorIncarnation::Kind::kTimeWait, true}, again.numbers()));
  from_backend(
      outbound(kSynAck, 5000, again.sequence() + 1, option::timestamps(4, again.numbers().tsval)));
  const Sent answer = only(kClientLink);
  EXPECT_EQ(answer.acknowledgement(), 1001u);
  EXPECT_EQ(answer.tsecr(), 123u);
  next_client();
  EXPECT_TRUE(
      newer_or_equal(open(5, option::timestamps(9, 0)).numbers().tsval, again.numbers().tsval))
      << "the whole clock went ahead";
}

}  // namespace
}  // namespace sluice::test
