// SPDX-License-Identifier: BSD-3-Clause
// When a worker without packets gives its CPU away, seen by its voluntary context switches.
#include "dataplane/worker/idle.h"

#include <gtest/gtest.h>
#include <rte_cycles.h>
#include <sys/resource.h>

#include <chrono>

namespace sluice {
namespace {

long switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

/// Turns that find nothing, from a millisecond after the last that found something on.
long switches_in_idle_turns(Idle& idle, int turns) {
  const uint64_t begin = 1'000'000'000, ms = rte_get_tsc_hz() / 1000;
  idle.end_turn(true, begin);
  const long before = switches();
  for (int i = 0; i < turns; ++i) idle.end_turn(false, begin + ms + 1);
  return switches() - before;
}

TEST(Idle, PollNeverSleeps) {
  Idle idle(IdleMode::kPoll, {});
  EXPECT_EQ(switches_in_idle_turns(idle, 1000), 0);
}

TEST(Idle, SleepsAfterAMillisecondOfNothing) {
  Idle idle(IdleMode::kSleep, {});
  EXPECT_FALSE(idle.interrupts());
  EXPECT_GT(switches_in_idle_turns(idle, 10), 0);  // a nap may be over before it begins
}

TEST(Idle, NeverSleepsWhileThereIsTraffic) {
  Idle idle(IdleMode::kSleep, {});
  const uint64_t ms = rte_get_tsc_hz() / 1000;
  uint64_t ticks = 1'000'000'000;
  idle.end_turn(true, ticks);
  const long before = switches();
  // A packet every 0.9 ms, and a look every 0.1 ms.
  for (int i = 1; i < 1000; ++i) idle.end_turn(i % 9 == 0, ticks += ms / 10);
  EXPECT_EQ(switches(), before);
}

TEST(Idle, NapsAreShort) {
  using Clock = std::chrono::steady_clock;
  Idle idle(IdleMode::kSleep, {});
  switches_in_idle_turns(idle, 10);  // by now they are as long as they get
  auto shortest = Clock::duration::max();
  for (int i = 0; i < 10; ++i) {
    const auto begin = Clock::now();
    idle.end_turn(false, 2'000'000'000);
    shortest = std::min(shortest, Clock::now() - begin);
  }
  EXPECT_LT(shortest, std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace sluice
