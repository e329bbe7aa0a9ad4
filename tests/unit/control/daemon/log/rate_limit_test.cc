// SPDX-License-Identifier: BSD-3-Clause
// What repeats itself is held back, counted and summed up; what is new is written.
#include "control/daemon/log/rate_limit.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using std::chrono::seconds;

constexpr int kWarning = 3;

class Limit : public testing::Test {
 protected:
  // How many of `count` such lines are written, all in one moment.
  uint32_t written(uint32_t count, auto line_of) {
    uint32_t admitted = 0;
    for (uint32_t i = 0; i < count; ++i) admitted += limit_.admit(kWarning, line_of(i), now_);
    return admitted;
  }

  RateLimit limit_;
  RateLimit::Clock::time_point now_{seconds(1'000'000)};
};

TEST_F(Limit, TheSameLineIsWrittenAFewTimesAMinute) {
  const auto line = [](uint32_t) { return std::string("no buffers left"); };
  EXPECT_EQ(written(100, line), RateLimit::kSameMax);
  now_ += RateLimit::kWindow - seconds(1);
  EXPECT_EQ(written(5, line), 0u);
  EXPECT_TRUE(limit_.finished(now_).empty());
  now_ += seconds(1);
  const auto held = limit_.finished(now_);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].count, 105 - RateLimit::kSameMax);
  EXPECT_EQ(held[0].line, "no buffers left");
  EXPECT_EQ(held[0].level, kWarning);
  EXPECT_TRUE(limit_.finished(now_).empty()) << "said once";
  EXPECT_EQ(written(1, line), 1u) << "and the line is new again";
}

TEST_F(Limit, LinesThatDifferInNumbersShareALimit) {
  const auto backend = [](uint32_t i) {
    return "backend 10.2.0." + std::to_string(i) + ":80 is down";
  };
  EXPECT_EQ(written(1000, backend), RateLimit::kAlikeMax);
  EXPECT_EQ(written(1, [](uint32_t) { return std::string("backend 10.2.0.1:80 is slow"); }), 1u);
  now_ += RateLimit::kWindow;
  const auto held = limit_.finished(now_);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].count, 1000 - RateLimit::kAlikeMax);
  EXPECT_EQ(held[0].line, "backend 10.2.0.999:80 is down");
}

TEST_F(Limit, RareLinesAreAllWritten) {
  for (int i = 0; i < 10; ++i) {
    limit_.finished(now_);
    EXPECT_EQ(written(1, [](uint32_t) { return std::string("reload refused"); }), 1u);
    now_ += seconds(30);
  }
}

TEST_F(Limit, AClockSetBackDoesNotSilence) {
  const auto line = [](uint32_t) { return std::string("link down"); };
  written(10, line);
  now_ -= seconds(86'400);
  EXPECT_EQ(limit_.finished(now_).size(), 1u);
  EXPECT_EQ(written(1, line), 1u);
}

// Every line another one: the memory is bounded and so is the log.
TEST_F(Limit, NoEndOfDifferentLines) {
  const auto line = [](uint32_t i) { return std::string(i + 1, 'x'); };
  const uint32_t admitted = written(2'000, line);
  EXPECT_LE(admitted, RateLimit::kWindowsMax + RateLimit::kAlikeMax);
  now_ += RateLimit::kWindow;
  uint64_t held = 0;
  for (const auto& suppressed : limit_.finished(now_)) held += suppressed.count;
  EXPECT_EQ(admitted + held, 2'000u) << "nothing is lost silently";
}

}  // namespace
}  // namespace sluice::control
