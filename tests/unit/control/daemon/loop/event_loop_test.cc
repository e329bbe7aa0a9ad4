// SPDX-License-Identifier: BSD-3-Clause
// The loop: descriptors, timers, signals.
#include "control/daemon/loop/event_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "tests/unit/control/cpu_seconds.h"

namespace sluice::control {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(EventLoop, ReadableDescriptorsAreReported) {
  EventLoop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int seen = 0;
  loop.watch(ends[0], EPOLLIN, [&](uint32_t) {
    ++seen;
    loop.forget(ends[0]);  // a callback may forget itself
  });
  loop.run_once(milliseconds(0));
  EXPECT_EQ(seen, 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  loop.run_once(milliseconds(1000));
  loop.run_once(milliseconds(0));
  EXPECT_EQ(seen, 1);
  close(ends[0]);
  close(ends[1]);
}

// Two events of one turn: the first one's callback closes the second one's descriptor and opens
// another, which gets its number. What was seen of the old one is not the new one's.
TEST(EventLoop, ANumberUsedAgainInTheSameTurnHearsNothingOfTheOldOne) {
  EventLoop loop;
  int first[2], second[2], third[2];
  ASSERT_EQ(pipe(first), 0);
  ASSERT_EQ(pipe(second), 0);
  int wrong = 0;
  loop.watch(first[0], EPOLLIN, [&](uint32_t) {
    loop.forget(first[0]);
    loop.forget(second[0]);
    close(second[0]);
    ASSERT_EQ(pipe(third), 0);
    ASSERT_EQ(third[0], second[0]);
    loop.watch(third[0], EPOLLIN, [&](uint32_t) { ++wrong; });
  });
  loop.watch(second[0], EPOLLIN, [&](uint32_t) { ++wrong; });
  ASSERT_EQ(write(first[1], "x", 1), 1);
  ASSERT_EQ(write(second[1], "x", 1), 1);
  loop.run_once(milliseconds(1000));
  loop.run_once(milliseconds(0));
  EXPECT_EQ(wrong, 0);
  for (int fd : {first[0], first[1], second[1], third[0], third[1]}) close(fd);
}

TEST(EventLoop, TimersFireAgainAndAgain) {
  EventLoop loop;
  int fired = 0;
  loop.every(milliseconds(5), [&] {
    if (++fired == 3) loop.stop();
  });
  loop.run();
  EXPECT_EQ(fired, 3);
}

TEST(EventLoop, AOneShotTimerFiresOnceAndNotBeforeItsTime) {
  EventLoop loop;
  int fired = 0;
  const auto begin = EventLoop::Clock::now();
  const auto timer = loop.after(microseconds(1500), [&] {
    ++fired;
    EXPECT_GE(EventLoop::Clock::now() - begin, microseconds(1500));
    loop.stop();
  });
  loop.run();
  loop.run_once(milliseconds(5));
  EXPECT_EQ(fired, 1);
}

TEST(EventLoop, TimersFireInTheOrderInWhichTheyAreDue) {
  EventLoop loop;
  std::vector<int> order;
  const auto note = [&](int number) { return [&order, number] { order.push_back(number); }; };
  const auto third = loop.after(milliseconds(200), note(3));
  const auto first = loop.after(milliseconds(-1), note(1));
  const auto second = loop.after(milliseconds(2), note(2));
  EXPECT_TRUE(order.empty());
  while (order.size() < 3) loop.run_once(milliseconds(1000));
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(EventLoop, ACancelledTimerStaysSilent) {
  EventLoop loop;
  int fired = 0;
  const auto count = [&] { ++fired; };
  auto cancelled = loop.after(milliseconds(1), count);
  auto replaced = loop.after(milliseconds(1), count);
  { const auto gone = loop.after(milliseconds(1), count); }
  cancelled.cancel();
  cancelled.cancel();
  replaced = loop.after(milliseconds(20), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(fired, 0);
}

// The way of whoever looks again and again, at a pace that changes.
TEST(EventLoop, ATimerMaySetItselfAgainAndCancelAnother) {
  EventLoop loop;
  EventLoop::Timer again, other;
  int fired = 0, others = 0;
  std::function<void()> look = [&] {
    other.cancel();
    if (++fired == 3) return loop.stop();
    again = loop.after(microseconds(100), look);
  };
  again = loop.after(microseconds(100), look);
  other = loop.after(microseconds(100), [&] { ++others; });
  loop.run();
  EXPECT_EQ(fired, 3);
  EXPECT_EQ(others, 0);
}

// A descriptor that is ready and that nobody reads: it is named, and the loop leaves the core to
// others.
TEST(EventLoop, OneThatSpinsSaysSoAndSlowsDown) {
  EventLoop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  loop.every(
      milliseconds(100), [] {}, "a quiet one");
  loop.watch(
      ends[0], EPOLLIN, [](uint32_t) {}, "the one that nobody reads");
  double core_share = 0;  // of the last second
  const auto run_until = [&](auto&& condition) {
    for (int i = 0; i < 10 && !condition(); ++i) {
      const double before = cpu_seconds();
      const auto end = EventLoop::Clock::now() + milliseconds(1000);
      while (EventLoop::Clock::now() < end) loop.run_once(milliseconds(10));
      core_share = cpu_seconds() - before;
    }
    return condition();
  };
  const auto spins = [&] { return loop.load().spins; };
  if (!run_until(spins) && core_share < 0.5) GTEST_SKIP() << "others leave no core to spin on";
  EXPECT_TRUE(spins());
  EXPECT_GT(loop.load().iterations_per_s, 20'000u);
  EXPECT_EQ(loop.load().busiest, "the one that nobody reads");
  EXPECT_TRUE(run_until(
      [&] { return loop.load().iterations_per_s < 2'000 && loop.load().busy_percent < 20; }));
  EXPECT_TRUE(spins());  // which it does as long as nobody reads
  char byte;
  ASSERT_EQ(read(ends[0], &byte, 1), 1);
  EXPECT_TRUE(run_until([&] { return !spins(); }));
  close(ends[0]);
  close(ends[1]);
}

// Closed before it was forgotten, while a copy lives on: epoll goes on telling of it.
TEST(EventLoop, WhatNobodyWatchesAnyMoreIsForgotten) {
  EventLoop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  const int copy = dup(ends[0]);
  loop.watch(ends[0], EPOLLIN, [](uint32_t) {});
  close(ends[0]);
  loop.forget(ends[0]);
  int seen = 0;
  int other[2];
  ASSERT_EQ(pipe(other), 0);
  loop.watch(other[0], EPOLLIN, [&](uint32_t) {
    ++seen;
    char byte;
    EXPECT_EQ(read(other[0], &byte, 1), 1);
  });
  int rounds = 0;
  const auto end = EventLoop::Clock::now() + milliseconds(50);
  for (; EventLoop::Clock::now() < end; ++rounds) loop.run_once(milliseconds(10));
  EXPECT_LT(rounds, 200);
  ASSERT_EQ(write(other[1], "x", 1), 1);
  loop.run_once(milliseconds(100));
  EXPECT_EQ(seen, 1);
  for (int fd : {copy, ends[1], other[0], other[1]}) close(fd);
}

// A timer that takes long does not take the loop with it.
TEST(EventLoop, ATimerRestsForAsLongAsItTook) {
  EventLoop loop;
  std::vector<EventLoop::Clock::time_point> begins, ends;
  loop.every(milliseconds(1), [&] {
    begins.push_back(EventLoop::Clock::now());
    usleep(20'000);
    ends.push_back(EventLoop::Clock::now());
    if (ends.size() == 3) loop.stop();
  });
  loop.run();
  for (size_t i = 1; i < ends.size(); ++i) {
    EXPECT_GE(begins[i] - ends[i - 1], ends[i - 1] - begins[i - 1]);
  }
}

TEST(EventLoop, SignalsArriveInTheLoop) {
  EventLoop loop;
  std::vector<int> seen;
  loop.on_signal(SIGHUP, [&] { seen.push_back(SIGHUP); });
  loop.on_signal(SIGUSR1, [&] {
    seen.push_back(SIGUSR1);
    loop.stop();
  });
  raise(SIGHUP);
  raise(SIGUSR1);
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGUSR1}));
}

}  // namespace
}  // namespace sluice::control
