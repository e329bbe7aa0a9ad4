// SPDX-License-Identifier: BSD-3-Clause
// Another thread has the loop do something: in order, in time, or not at all.
#include "control/daemon/loop/loop_call.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

TEST(LoopCall, RunsOnTheLoopsThread) {
  EventLoop loop;
  LoopCall calls(loop);
  std::atomic<bool> done = false;
  std::thread::id where;
  int sum = 0;
  std::thread asker([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(calls.run([&] { sum += i; }, milliseconds(10000)));
    EXPECT_TRUE(calls.run([&] { where = std::this_thread::get_id(); }, milliseconds(10000)));
    done = true;
  });
  while (!done) loop.run_once(milliseconds(10));
  asker.join();
  EXPECT_EQ(where, std::this_thread::get_id());
  EXPECT_EQ(sum, 4950);
}

TEST(LoopCall, WhoGivesUpLeavesNothingBehind) {
  EventLoop loop;
  LoopCall calls(loop);
  bool ran = false;
  EXPECT_FALSE(calls.run([&] { ran = true; }, milliseconds(1)));  // nobody runs the loop
  loop.run_once(milliseconds(1));
  EXPECT_FALSE(ran);
}

TEST(LoopCall, ClosingSendsTheWaitingAway) {
  EventLoop loop;
  LoopCall calls(loop);
  std::thread asker([&] { EXPECT_FALSE(calls.run([] { FAIL(); }, milliseconds(60000))); });
  std::this_thread::sleep_for(milliseconds(20));
  calls.close();
  asker.join();
  EXPECT_FALSE(calls.run([] { FAIL(); }));
}

}  // namespace
}  // namespace sluice::control
