// SPDX-License-Identifier: BSD-3-Clause
// What a worker does a little of in each turn: idle limits that a reload lowers reach open flows,
// and what is remembered in 32-bit milliseconds never seems new again.
#include "dataplane/stage/upkeep.h"

#include "dataplane/state/stamp.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class UpkeepTest : public Stage {
 protected:
  void limit(Scene scene, uint32_t established_ms) {
    scene.timeouts_ms[static_cast<size_t>(FlowState::kEstablished)] = established_ms;
    adopt(make_snapshot(scene));
    sent.clear();
  }
};

TEST_F(UpkeepTest, ALowerIdleLimitReachesOpenFlows) {
  const Scene scene;
  start(scene);
  establish(1000, 5000);
  pass(2000);
  next_client();
  establish(1000, 5000);
  limit(scene, 5000);
  pass(2900);
  EXPECT_EQ(events(Event::flows_timed_out), 0u);
  pass(200);
  EXPECT_EQ(events(Event::flows_timed_out), 1u) << "idle for 5 s, two of them under the old limit";
  pass(2000);
  EXPECT_EQ(events(Event::flows_timed_out), 2u);
  sent.clear();
}

TEST_F(UpkeepTest, WhoIsBeyondTheNewLimitAlreadyGoesAtOnce) {
  const Scene scene;
  start(scene);
  establish(1000, 5000);
  pass(60'000, 1000);
  limit(scene, 5000);
  pass(100);
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  sent.clear();
}

TEST_F(UpkeepTest, AHigherIdleLimitReachesThemToo) {
  Scene scene;
  scene.timeouts_ms.fill(5000);
  start(scene);
  establish(1000, 5000);
  limit(scene, 9000);
  pass(8500);
  EXPECT_EQ(events(Event::flows_timed_out), 0u);
  pass(1000);
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  sent.clear();
}

TEST_F(UpkeepTest, NoTurnLooksAtAllFlows) {
  Scene scene;
  scene.ports = {2000, 2999};
  scene.limits = {1024, 1100, 1024};
  start(scene);
  for (int i = 0; i < 1000; ++i, next_client()) establish(1000, 5000);
  pass(60'000, 10'000);
  limit(scene, 5000);
  run_housekeeping(*core);
  EXPECT_GE(core->flows.flow_count(), 800u);
  pass(400);  // 40 turns
  EXPECT_EQ(events(Event::flows_timed_out), 1000u);
  sent.clear();
}

// 49.7 days after the backend closed, and a little more, `never` must not see TIME_WAIT again.
TEST_F(UpkeepTest, APortThatRestsForWeeksStaysRested) {
  start({.reuse = ReusePolicy::kNever, .ports = {2000, 2003}});
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  pass(11'000);
  const uint64_t began = core->now_ms;
  const uint64_t weeks = (uint64_t{1} << 32) + 30'000;
  constexpr int kLooks = 500;
  for (int i = 1; i <= kLooks; ++i) {
    core->now_ms = began + weeks * static_cast<uint64_t>(i) / kLooks;
    run_upkeep(*core);
  }
  const PriorIncarnation prior = pool().ports.prior(local_.port.host());
  EXPECT_EQ(prior.kind, PriorIncarnation::Kind::kTimeWait);
  EXPECT_GE(stamp_age_ms(core->now32(), prior.closed_ms), kStampOldestMs);
  core->now_ms = began;
}

TEST_F(UpkeepTest, AFlowOfManyWeeksIsAsOldAsCanBeTold) {
  Scene scene;
  scene.timeouts_ms.fill(5000);
  start(scene);
  establish(1000, 5000);
  Flow& it = core->flows[flow()];
  it.opened_ms = core->now32() - kStampOldestMs;
  for (int i = 0; i < 5; ++i) {
    pass(4000);
    from_client(inbound(kAck, 1001, 5001));
    only(kBackendLink);
  }
  const uint32_t age = stamp_age_ms(core->now32(), it.opened_ms);
  EXPECT_GE(age, kStampOldestMs);
  EXPECT_LE(age, kStampOldestMs + 10'000);
}

}  // namespace
}  // namespace sluice::test
