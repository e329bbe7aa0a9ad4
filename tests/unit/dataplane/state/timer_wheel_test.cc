// SPDX-License-Identifier: BSD-3-Clause
// The timer wheel: by hand, and against a table of deadlines.
#include "dataplane/state/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

constexpr uint32_t kAll = UINT32_MAX;
constexpr uint64_t kHour = 3'600'000;

/// A wheel over entries that are more than their node.
struct Entry {
  uint64_t other;
  TimerNode timer;
};
struct Wheel : std::vector<Entry>, TimerWheel {
  Wheel(uint32_t id_count, uint64_t now)
      : std::vector<Entry>(id_count), TimerWheel(&data()->timer, sizeof(Entry), id_count, now) {}
};

std::vector<uint32_t> fired_by(TimerWheel& wheel, uint64_t now, uint32_t budget = kAll) {
  std::vector<uint32_t> fired;
  wheel.advance(now, budget, [&](uint32_t id) { fired.push_back(id); });
  return fired;
}

using Ids = std::vector<uint32_t>;

// Never early, and at most one tick late, on every level and far beyond the last.
TEST(TimerWheel, FiresWithinOneTickOfItsDeadline) {
  const uint64_t starts[] = {0, 1, 15, 16, 4095, 4096, 1'234'567, 0xffffffff, 1'700'000'000'000};
  const uint64_t delays[] = {
      0,    1,    15,     16,        17,        4079,      4080,      4081,        4095,       4096,
      4097, 8192, 60'000, 1'048'575, 1'048'576, 1'048'577, 7'440'000, 268'435'455, 268'435'456};
  for (const uint64_t start : starts) {
    for (const uint64_t delay : delays) {
      if (test::kSanitized && start > 16 && delay > 10'000'000) continue;  // millions of ticks
      SCOPED_TRACE(testing::Message() << start << " + " << delay);
      Wheel wheel(1, start);
      const uint64_t deadline = start + delay;
      wheel.set(0, deadline);
      if (delay > 0) {
        EXPECT_EQ(fired_by(wheel, deadline - 1), Ids{});
      }
      EXPECT_TRUE(wheel.is_set(0));
      EXPECT_EQ(fired_by(wheel, deadline + TimerWheel::kTickMs), Ids{0});
      EXPECT_FALSE(wheel.is_set(0));
      EXPECT_EQ(fired_by(wheel, deadline + 60'000), Ids{});
    }
  }
}

TEST(TimerWheel, FarBeyondTheLastLevel) {
  Wheel wheel(2, 5);
  wheel.set(0, 80 * kHour);
  wheel.set(1, 400 * kHour);
  for (uint64_t hour = 1; hour < 80; ++hour)
    EXPECT_EQ(fired_by(wheel, hour * kHour), Ids{}) << hour;
  EXPECT_EQ(fired_by(wheel, 80 * kHour + 16), Ids{0});
  EXPECT_EQ(fired_by(wheel, 400 * kHour - 1), Ids{});
  EXPECT_EQ(fired_by(wheel, 400 * kHour + 16), Ids{1});
}

TEST(TimerWheel, PastDeadlinesFireAtOnce) {
  Wheel wheel(1, 1'000'000);
  wheel.set(0, 10);
  EXPECT_EQ(fired_by(wheel, 1'000'000), Ids{0});
}

TEST(TimerWheel, MovesAndCancels) {
  Wheel wheel(3, 0);
  wheel.set(0, 1000);
  wheel.set(0, 100'000);  // later
  wheel.set(1, 100'000);
  wheel.set(1, 1000);  // sooner
  wheel.set(2, 1000);
  wheel.cancel(2);
  wheel.cancel(2);  // twice is fine
  EXPECT_FALSE(wheel.is_set(2));
  EXPECT_EQ(fired_by(wheel, 2000), Ids{1});
  EXPECT_EQ(fired_by(wheel, 200'000), Ids{0});
}

TEST(TimerWheel, BudgetLeavesTheRestForTheNextCall) {
  Wheel wheel(100, 0);
  for (uint32_t id = 0; id < 100; ++id) wheel.set(id, 50);
  EXPECT_EQ(fired_by(wheel, 1000, 0).size(), 0u);
  EXPECT_EQ(fired_by(wheel, 1000, 30).size(), 30u);
  EXPECT_EQ(fired_by(wheel, 1000, 30).size(), 30u);
  EXPECT_EQ(fired_by(wheel, 1001, 40).size(), 40u);
  EXPECT_EQ(fired_by(wheel, 1002, 40).size(), 0u);
}

TEST(TimerWheel, WhatIsDueButOverBudgetCanBeCancelledAndMoved) {
  Wheel wheel(3, 0);
  for (uint32_t id = 0; id < 3; ++id) wheel.set(id, 50);
  EXPECT_EQ(fired_by(wheel, 1000, 1), Ids{0});
  wheel.cancel(1);
  wheel.set(2, 5000);
  EXPECT_EQ(fired_by(wheel, 1000), Ids{});
  EXPECT_EQ(fired_by(wheel, 5100), Ids{2});
}

TEST(TimerWheel, CallbackMaySetAndCancelAny) {
  Wheel wheel(4, 0);
  for (uint32_t id = 0; id < 3; ++id) wheel.set(id, 50);
  std::vector<uint32_t> fired;
  wheel.advance(1000, kAll, [&](uint32_t id) {
    EXPECT_FALSE(wheel.is_set(id));
    fired.push_back(id);
    if (id == 0) {
      wheel.cancel(1);     // due as well
      wheel.set(2, 3000);  // due as well
      wheel.set(3, 900);   // due within this very call
      wheel.set(0, 2000);  // itself
    }
  });
  EXPECT_EQ(fired, (Ids{0, 3}));
  EXPECT_EQ(fired_by(wheel, 2100), Ids{0});
  EXPECT_EQ(fired_by(wheel, 3100), Ids{2});
}

TEST(TimerWheel, ACallbackThatSetsItselfInThePastIsBounded) {
  Wheel wheel(1, 0);
  wheel.set(0, 10);
  int fired = 0;
  wheel.advance(1000, 100, [&](uint32_t id) {
    ++fired;
    wheel.set(id, 0);
  });
  EXPECT_EQ(fired, 100);
}

// Random sets, moves and cancels over steps of all sizes, against one deadline per id.
TEST(TimerWheel, AgainstAReference) {
  for (const uint32_t seed : {1u, 2u, 3u, 4u}) {
    std::mt19937_64 random(seed);
    constexpr uint32_t kIds = 500;
    uint64_t now = random() % 10'000'000;
    Wheel wheel(kIds, now);
    std::map<uint32_t, uint64_t> deadlines;
    const auto any_delay = [&] { return random() % (uint64_t{1} << (1 + random() % 29)); };
    for (int round = 0; round < 20'000; ++round) {
      for (uint64_t i = random() % 8; i > 0; --i) {
        const auto id = static_cast<uint32_t>(random() % kIds);
        if (random() % 4 == 0) {
          wheel.cancel(id);
          deadlines.erase(id);
        } else {
          const uint64_t deadline = now + any_delay();
          wheel.set(id, deadline);
          deadlines[id] = deadline;
        }
      }
      now += random() % (random() % 500 == 0 ? kHour : 200);
      wheel.advance(now, kAll, [&](uint32_t id) {
        ASSERT_TRUE(deadlines.contains(id));
        ASSERT_LE(deadlines[id], now) << "early";
        deadlines.erase(id);
        if (random() % 8 == 0) {  // callbacks set others, too
          const auto other = static_cast<uint32_t>(random() % kIds);
          deadlines[other] = now + any_delay();
          wheel.set(other, deadlines[other]);
        }
      });
      for (const auto& [id, deadline] : deadlines) {
        ASSERT_GT(deadline + 2 * TimerWheel::kTickMs, now) << "late";
        ASSERT_TRUE(wheel.is_set(id));
      }
    }
  }
}

TEST(TimerWheel, HastensOnlyWhatIsLater) {
  Wheel wheel(3, 1000);
  wheel.set(0, 7'440'000);
  wheel.set(1, 2000);
  wheel.hasten(0, 5000);
  wheel.hasten(1, 5000);
  wheel.hasten(2, 5000);
  EXPECT_FALSE(wheel.is_set(2));
  EXPECT_EQ(fired_by(wheel, 2032), (Ids{1}));
  EXPECT_EQ(fired_by(wheel, 4999), Ids{});
  EXPECT_EQ(fired_by(wheel, 5032), (Ids{0}));
}

}  // namespace
}  // namespace sluice
