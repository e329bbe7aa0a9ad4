// SPDX-License-Identifier: BSD-3-Clause
// The loop: descriptors, timers, signals.
#include "control/event_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace sluice::control {
namespace {

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
