// SPDX-License-Identifier: BSD-3-Clause
// The ring of `why`: the newest stay, and a flood of one cause takes no other's place.
#include "dataplane/state/why_ring.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr auto kFlood = static_cast<uint8_t>(net::DropReason::syn_deferred);
constexpr auto kOther = static_cast<uint8_t>(net::DropReason::no_backend);

class Why : public testing::Test {
 protected:
  // How many of `count` records of one cause were taken, one each `step_ms`.
  uint32_t write(WhyRing& ring, uint8_t cause, uint32_t count, uint64_t step_ms = 0) {
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; ++i, now_ms_ += step_ms) {
      WhyRecord* record = ring.next(true, cause, now_ms_);
      if (record == nullptr) continue;
      *record = {};
      record->wall_clock_ms = now_ms_;
      record->reason = static_cast<net::DropReason>(cause);
      ++taken;
    }
    return taken;
  }

  uint64_t now_ms_ = 1'000'000;
};

TEST_F(Why, TheNewestAreKept) {
  WhyRing ring(64, std::pmr::get_default_resource());
  EXPECT_EQ(ring.kept(), 0u);
  // A cause has 8 of the 64 in ten minutes.
  EXPECT_EQ(write(ring, kOther, 100, WhyRing::kKeptMs / 8), 100u);
  EXPECT_EQ(ring.kept(), 64u);
  EXPECT_EQ(ring.written(), 100u);
  EXPECT_EQ(ring.oldest(), 36u);
  EXPECT_EQ(ring[99].wall_clock_ms, now_ms_ - WhyRing::kKeptMs / 8);
  EXPECT_LT(ring[36].wall_clock_ms, ring[37].wall_clock_ms);
}

TEST_F(Why, AFloodLeavesTenMinutesOfTheOthers) {
  WhyRing ring(8000, std::pmr::get_default_resource());
  ASSERT_EQ(write(ring, kOther, 1), 1u);
  const uint64_t begin = now_ms_;
  const uint32_t taken = write(ring, kFlood, 600'000, 1);  // a thousand a second for ten minutes
  EXPECT_EQ(now_ms_ - begin, WhyRing::kKeptMs);
  EXPECT_NEAR(taken, 2000, 2) << "its share at once, and once more within ten minutes";
  EXPECT_EQ(ring.oldest(), 0u);
  EXPECT_EQ(ring[0].reason, net::DropReason::no_backend);
}

TEST_F(Why, AShareComesBack) {
  WhyRing ring(80, std::pmr::get_default_resource());
  EXPECT_EQ(write(ring, kFlood, 100), 10u);
  EXPECT_EQ(write(ring, kOther, 100), 10u) << "each cause has its own";
  now_ms_ += WhyRing::kKeptMs / 10;
  EXPECT_EQ(write(ring, kFlood, 100), 1u);
  now_ms_ += 10 * WhyRing::kKeptMs;
  EXPECT_EQ(write(ring, kFlood, 100), 10u);
}

TEST_F(Why, NoRecordsAtAll) {
  WhyRing ring(0, std::pmr::get_default_resource());
  EXPECT_EQ(write(ring, kOther, 3), 0u);
  EXPECT_EQ(ring.kept(), 0u);
}

}  // namespace
}  // namespace sluice
