// SPDX-License-Identifier: BSD-3-Clause
// The state machine of a backend's health from tables of results, and what handshakes say.
#include "control/daemon/health/health_state.h"

#include <gtest/gtest.h>

#include "control/daemon/health/health_checker.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

SteadyTime at_ms(int64_t ms) {
  return SteadyTime(milliseconds(ms));
}

constexpr HealthRules kRules{.rise = 2, .fall = 3, .slow_start = {}};
constexpr HealthRules kSlow{.rise = 2, .fall = 3, .slow_start = milliseconds(10'000)};

// '+' is a good result, '-' a bad one, one a second; what is believed after each.
std::string play(HealthState& state, std::string_view results, const HealthRules& rules) {
  std::string out;
  SteadyTime now = state.view().since;
  for (const char result : results) {
    now += milliseconds(1000);
    state.observe(result == '+', "reason", rules, now);
    state.advance(rules, now);
    out += to_string(state.health()).front();
  }
  return out;
}

TEST(HealthState, Transitions) {
  const struct {
    const char* results;
    const char* states;  // unchecked, up, starting, down
    HealthRules rules;
  } cases[] = {
      {"++", "uu", kRules},
      {"+--+--", "uuuuuu", kRules},        // not three in a row
      {"+---", "uuud", kRules},            // three
      {"---", "uud", kRules},              // a first bad result is no more than a doubt
      {"+---+-++", "uuuddddu", kRules},    // two good ones in a row
      {"+---++---", "uuudduuud", kRules},  //
      {"+---++", "uuudds", kSlow},         // back, slowly
      {"+---++++++++++++", "uuuddssssssssssu", kSlow},
      {"+---++---", "uuuddsssd", kSlow},  // down while it starts
  };
  for (const auto& test : cases) {
    HealthView state_view;
    HealthState state(state_view, at_ms(5000), false);
    EXPECT_EQ(play(state, test.results, test.rules), test.states) << test.results;
  }
}

TEST(HealthState, AnUncheckedOneTakesFlowsAndOneThatJoinsWaits) {
  HealthView old_view;
  HealthState old(old_view, at_ms(0), false);
  EXPECT_TRUE(old.view().takes_flows);
  HealthView joined_view;
  HealthState joined(joined_view, at_ms(0), true);
  EXPECT_FALSE(joined.view().takes_flows);
  EXPECT_TRUE(joined.observe(true, "", kSlow, at_ms(10)));
  EXPECT_EQ(joined.health(), Health::kStarting);
  EXPECT_TRUE(joined.view().takes_flows);
  EXPECT_TRUE(old.observe(true, "", kSlow, at_ms(10)));
  EXPECT_EQ(old.health(), Health::kUp);
}

TEST(HealthState, TheReasonIsTheLastBadResults) {
  HealthView state_view;
  HealthState state(state_view, at_ms(0), false);
  state.observe(false, "status 503", kRules, at_ms(1));
  EXPECT_EQ(state.view().reason, "status 503");
  EXPECT_TRUE(state.in_doubt());
  state.observe(true, "", kRules, at_ms(2));
  EXPECT_EQ(state.view().reason, "");
  EXPECT_FALSE(state.in_doubt());
}

// A good result on the way back is no reason to forget why it is down.
TEST(HealthState, WhatIsDownAlwaysHasAReason) {
  HealthView state_view;
  HealthState state(state_view, at_ms(0), false);
  play(state, "---", kRules);
  ASSERT_EQ(state.health(), Health::kDown);
  EXPECT_FALSE(state.observe(true, "", kRules, at_ms(10)));
  EXPECT_EQ(state.view().reason, "reason");
  state.observe(false, "status 503", kRules, at_ms(11));
  EXPECT_EQ(state.view().reason, "status 503");
  state.observe(true, "", kRules, at_ms(12));
  EXPECT_TRUE(state.observe(true, "", kRules, at_ms(13)));
  EXPECT_EQ(state.view().reason, "");
  state.observe(false, "", kRules, at_ms(14));
  state.observe(false, "", kRules, at_ms(15));
  EXPECT_EQ(state.view().reason, "no reason was given");
  HealthView other_view;
  HealthState other(other_view, at_ms(0), false);
  other.bring_down("", at_ms(1));
  EXPECT_NE(other.view().reason, "");
}

TEST(HealthState, ASlowStartGrowsInSteps) {
  HealthView state_view;
  HealthState state(state_view, at_ms(0), false);
  play(state, "+---", kSlow);
  state.observe(true, "", kSlow, at_ms(100'000));
  ASSERT_TRUE(state.observe(true, "", kSlow, at_ms(100'000)));
  EXPECT_EQ(state.view().share_percent, 5u);
  EXPECT_FALSE(state.advance(kSlow, at_ms(100'999)));
  EXPECT_TRUE(state.advance(kSlow, at_ms(101'000)));
  EXPECT_EQ(state.view().share_percent, 10u);
  EXPECT_FALSE(state.advance(kSlow, at_ms(101'400)));
  EXPECT_TRUE(state.advance(kSlow, at_ms(109'999)));
  EXPECT_EQ(state.view().share_percent, 95u);
  state.observe(false, "once", kSlow, at_ms(109'999));
  EXPECT_TRUE(state.advance(kSlow, at_ms(110'000)));
  EXPECT_EQ(state.health(), Health::kUp);
  EXPECT_EQ(state.view().share_percent, 100u);
  EXPECT_EQ(state.row_count(), 1u);  // the doubt stays
}

// Good checks, bad service: each return takes twice as many good results.
TEST(HealthState, FailedHandshakesMakeTheWayBackLonger) {
  HealthView state_view;
  HealthState state(state_view, at_ms(0), false);
  play(state, "+", kRules);
  SteadyTime now = at_ms(100'000);
  for (const uint32_t results : {2u, 4u, 8u}) {
    ASSERT_TRUE(state.bring_down("refused", now));
    EXPECT_EQ(state.view().reason, "refused");
    for (uint32_t i = 1; i < results; ++i)
      ASSERT_FALSE(state.observe(true, "", kRules, now += milliseconds(1)));
    ASSERT_TRUE(state.observe(true, "", kRules, now += milliseconds(1)));
    now += milliseconds(1000);
  }
  now += milliseconds(60'000);
  state.bring_down("refused", now);
  EXPECT_FALSE(state.bring_down("refused", now));
  state.observe(true, "", kRules, now);
  EXPECT_TRUE(state.observe(true, "", kRules, now));
}

TEST(PassiveCheck, CountsFailuresInARow) {
  PassiveCheck watch(net::Protocol::kTcp, {100, 10, 20});
  EXPECT_EQ(watch.look({100, 12, 21}), 3u);
  EXPECT_EQ(watch.look({100, 14, 21}), 2u);
  EXPECT_EQ(watch.row_count(), 5u);
  EXPECT_EQ(watch.row().refused, 4u);
  EXPECT_EQ(watch.look({101, 16, 21}), 2u);  // one answer among more failures ends nothing
  EXPECT_EQ(watch.row_count(), 7u);
  EXPECT_EQ(watch.look({105, 17, 21}), 1u);
  EXPECT_EQ(watch.row_count(), 0u);
}

TEST(PassiveCheck, SilenceOfUdpIsNoFailure) {
  PassiveCheck watch(net::Protocol::kUdp, {});
  EXPECT_EQ(watch.look({0, 0, 1000}), 0u);
  EXPECT_EQ(watch.row_count(), 0u);
  EXPECT_EQ(watch.look({0, 5, 2000}), 5u);
  EXPECT_EQ(watch.row_count(), 5u);
}

TEST(Jitter, StaysWithinItsBounds) {
  EXPECT_EQ(jittered(milliseconds(1000), 0, 12345), milliseconds(1000));
  uint64_t least = UINT64_MAX, most = 0;
  for (uint32_t random = 0; random < 1000; ++random) {
    const auto wait_ms =
        static_cast<uint64_t>(jittered(milliseconds(1000), 10, random * 7919).count());
    least = std::min(least, wait_ms);
    most = std::max(most, wait_ms);
  }
  EXPECT_GE(least, 900u);
  EXPECT_LE(least, 905u);
  EXPECT_LE(most, 1100u);
  EXPECT_GE(most, 1095u);
}

}  // namespace
}  // namespace sluice::control
