// SPDX-License-Identifier: BSD-3-Clause
// The wall clock as control tells it: drift, steps, and what a restart remembers.
#include "control/daemon/core/wall_clock_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace sluice::control {
namespace {

constexpr uint64_t kWall = 1'700'000'000'000;

class WallClockKeeperTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }
  std::string file_ = testing::TempDir() + "sluice-clock-" + std::to_string(getpid());
};

// DPDK says 2,450 MHz of a TSC that runs at 2,446: 1.6 ms a second, 141 s a day.
TEST_F(WallClockKeeperTest, MakesGoodForARoundedFrequency) {
  WallClockKeeper identities(file_);
  const auto wall_at = [](uint64_t worker_ms) { return kWall + worker_ms * 2450 / 2446; };
  for (uint64_t s = 0; s < 100; ++s) {
    const uint64_t now = 5'000'000 + s * 1000;
    identities.observe(now, wall_at(now));
    EXPECT_LE(identities.clock().at(now + 999) - wall_at(now + 999) + 2, s < 11 ? 4u : 3u);
  }
}

TEST_F(WallClockKeeperTest, FollowsAStepWithinASecond) {
  WallClockKeeper identities(file_);
  for (uint64_t s = 0; s < 30; ++s) identities.observe(s * 1000, kWall + s * 1000);
  const uint64_t before = identities.clock().timestamps_at(30'000);
  identities.observe(30'000, kWall - 7'200'000);
  EXPECT_EQ(identities.clock().at(30'500), kWall - 7'199'500);
  EXPECT_EQ(identities.clock().timestamps_at(30'000), before);
  EXPECT_EQ(identities.clock().rate, 0) << "a step is no rate";
  for (uint64_t s = 31; s < 60; ++s) {
    identities.observe(s * 1000, kWall - 7'200'000 + (s - 30) * 1000);
    EXPECT_EQ(identities.clock().rate, 0);
    EXPECT_EQ(identities.clock().timestamps_at(s * 1000), before + (s - 30) * 1000);
  }
}

TEST_F(WallClockKeeperTest, ARestartBeginsAsFarAhead) {
  uint64_t newest = 0;
  {
    WallClockKeeper identities(file_);
    identities.observe(1000, kWall);
    identities.keep(0);
    EXPECT_FALSE(std::filesystem::exists(file_)) << "nothing to remember";
    identities.observe(2000, kWall - 50'000);  // set back
    identities.keep(16'000'000);               // and a heal had to go far ahead
    newest = identities.clock().timestamps_at(2000) + 16'000'000;
  }
  WallClockKeeper after(file_);
  after.observe(900, kWall - 49'000);
  EXPECT_GE(after.clock().timestamps_at(900), newest);
}

TEST_F(WallClockKeeperTest, AFileThatCannotBeIsNoReasonToStop) {
  WallClockKeeper identities("/nowhere/at/all");
  identities.observe(1000, kWall);
  identities.keep(5);
  EXPECT_EQ(identities.clock().ahead_ms, 0u);
}

}  // namespace
}  // namespace sluice::control
