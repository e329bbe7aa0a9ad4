// SPDX-License-Identifier: BSD-3-Clause
// The line from the worker's clock to the wall clock, and the clock of timestamps beside it.
#include "dataplane/port/wall_clock.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr uint64_t kWall = 1'700'000'000'000;

TEST(WallClock, FollowsItsRate) {
  const WallClock clock{1000, kWall, (int64_t{1} << 30) / 1000, 0};  // 0.1 % faster
  EXPECT_EQ(clock.at(1000), kWall);
  EXPECT_EQ(clock.at(1'001'000), kWall + 1'001'000 - 1);  // rounded down
  EXPECT_EQ(clock.at(0), kWall - 1001);
}

TEST(WallClock, TimestampsGoOnWhereTheWallClockIsSetBack) {
  const WallClock before{1000, kWall, 0, 7};
  WallClock after{2000, kWall + 1000 - 3'600'000, 0, 0};
  after.continue_from(before, 2000);
  EXPECT_EQ(after.timestamps_at(2000), kWall + 1007);
  EXPECT_EQ(after.timestamps_at(2500), kWall + 1507);
  EXPECT_EQ(after.at(2000), kWall + 1000 - 3'600'000);
}

TEST(WallClock, TimestampsFollowWhereItIsSetForward) {
  const WallClock before{1000, kWall, 0, 5000};
  WallClock after{2000, kWall + 4000, 0, 0};
  after.continue_from(before, 2000);
  EXPECT_EQ(after.ahead_ms, 2000u) << "the wall clock makes up for it";
  after = {2000, kWall + 100'000, 0, 0};
  after.continue_from(before, 2000);
  EXPECT_EQ(after.ahead_ms, 0u);
}

TEST(WallClock, IsReadWhenThereIsANewOne) {
  WallClockCell cell;
  WallClock clock{1, 2, 3, 4};
  EXPECT_FALSE(cell.read(clock));
  EXPECT_EQ(clock.wall_ms, 2u);
  cell.publish({1000, kWall, 5, 6});
  EXPECT_TRUE(cell.read(clock));
  EXPECT_EQ(clock.wall_ms, kWall);
  EXPECT_EQ(clock.rate, 5);
  EXPECT_EQ(clock.ahead_ms, 6u);
  EXPECT_FALSE(cell.read(clock)) << "known already";
}

}  // namespace
}  // namespace sluice
