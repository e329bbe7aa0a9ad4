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
