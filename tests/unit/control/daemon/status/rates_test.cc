// SPDX-License-Identifier: BSD-3-Clause
// How counters become rates, and levels trends.
#include "control/daemon/status/rates.h"

#include <gtest/gtest.h>

#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

TEST(Rates, GrowthPerSecondAndOverTenSamples) {
  Rates rates;
  Rates::Clock::time_point now{};
  ServiceRow row;
  const auto sample = [&](uint64_t value, milliseconds later) {
    now += later;
    rates.begin(now);
    row.connections = {value};
    rates.add("web", row);
  };
  sample(1000, milliseconds(0));
  EXPECT_EQ(row.connections.per_s, 0);  // what was before we looked is no growth
  sample(1010, milliseconds(500));
  EXPECT_EQ(row.connections.per_s, 20);
  EXPECT_EQ(row.connections.recent, 10u);
  EXPECT_EQ(row.refused.per_s, 0);
  for (int i = 0; i < 10; ++i) sample(1010, milliseconds(1000));
  EXPECT_EQ(row.connections.per_s, 0);
  EXPECT_EQ(row.connections.recent, 0u);
  sample(5, milliseconds(1000));  // another backend under the same name
  EXPECT_EQ(row.connections.per_s, 0);
}

TEST(Rates, TheTrendOfALevelIsItsGrowthWithoutTheNoise) {
  Rates rates;
  Rates::Clock::time_point now{};
  const auto trend_after = [&](int samples, const auto& level) {
    PoolSumRow row;
    for (int i = 0; i < samples; ++i) {
      rates.begin(now += std::chrono::seconds(2));
      row.unavailable = {static_cast<uint64_t>(level(i))};
      rates.add("pool", row);
    }
    return row.unavailable.trend.value();
  };
  EXPECT_EQ(trend_after(9, [](int i) { return 100 * i; }), 0);  // too young to say
  EXPECT_NEAR(trend_after(60, [](int i) { return 5000 - 20 * i; }), -10, 0.01);
  EXPECT_NEAR(trend_after(60, [](int i) { return 5000 + (i % 2 == 0 ? 300 : 0); }), 0, 5);
}

TEST(Rates, ARowThatWasGoneBeginsAnew) {
  Rates rates;
  CounterRow row;
  row.value = {5};
  rates.begin(Rates::Clock::time_point{std::chrono::seconds(1)});
  rates.add("a", row);
  rates.begin(Rates::Clock::time_point{std::chrono::seconds(2)});
  rates.begin(Rates::Clock::time_point{std::chrono::seconds(3)});
  row.value = {50};
  rates.add("a", row);
  EXPECT_EQ(row.value.per_s, 0);
}

}  // namespace
}  // namespace sluice::control
