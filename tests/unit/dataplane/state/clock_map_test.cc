// SPDX-License-Identifier: BSD-3-Clause
// One flow's timestamps on another clock: never falling there, never newer than sent on the way
// back, at any rate of the client's clock.
#include "dataplane/state/clock_map.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace sluice {
namespace {

using net::serial_after;

TEST(ClockMap, TheSynComesBackExactly) {
  for (const uint32_t client : {0u, 1000u, 0x7fffffffu, 0xffffffffu}) {
    ClockMap map;
    map.start(client, 5000);
    EXPECT_EQ(map.to_ours(client, 5000), 5000u);
    EXPECT_EQ(map.to_client(5000), client);
    EXPECT_EQ(map.to_ours(client, 7000), 5000u) << "the same SYN again";
  }
}

TEST(ClockMap, EveryRateOverManyTurns) {
  for (const double ticks_per_ms : {0.1, 0.25, 1.0, 1.001, 3.0, 10.0, 1000.0}) {
    SCOPED_TRACE(ticks_per_ms);
    std::mt19937 random(17);
    const auto first = static_cast<uint32_t>(random());
    uint32_t now = 0xffff0000;
    double elapsed = 0;
    ClockMap map;
    map.start(first, now);
    uint32_t newest = now, previous_client = first;
    struct Sent {
      uint32_t client, ours;
    };
    std::deque<Sent> sent = {{first, now}};
    for (int round = 0; round < 20'000; ++round) {
      const uint32_t wait = random() % 50 == 0 ? random() % 600'000 : random() % 300;
      now += wait;
      elapsed += wait;
      const uint32_t client =
          first + static_cast<uint32_t>(static_cast<uint64_t>(elapsed * ticks_per_ms));
      ASSERT_FALSE(serial_after(previous_client, client));
      const uint32_t ours = map.to_ours(client, now);
      ASSERT_FALSE(serial_after(newest, ours)) << "fell";
      ASSERT_FALSE(serial_after(ours, now)) << "ahead of the clock";
      newest = ours;
      previous_client = client;
      sent.push_back({client, ours});
      if (sent.size() > 10) sent.pop_front();
      // What the backend echoes late comes home no newer than it was sent, and not before the flow.
      for (const Sent& echoed : sent) {
        const uint32_t home = map.to_client(echoed.ours);
        const uint32_t youngest_with_this_value = echoed.ours == newest ? client : echoed.client;
        if (echoed.ours == newest) {
          ASSERT_EQ(home, youngest_with_this_value);
        }
        ASSERT_FALSE(serial_after(home, client));
      }
      // A segment that was overtaken stays older than what overtook it.
      ASSERT_FALSE(serial_after(map.to_ours(sent.front().client, now), newest));
    }
  }
}

TEST(ClockMap, AnEchoOnAStraightLineIsNeverNewer) {
  for (const uint32_t rate : {1u, 10u, 1000u}) {
    ClockMap map;
    map.start(100, 1000);
    for (uint32_t ms = 10; ms <= 100'000; ms += 10) map.to_ours(100 + ms * rate, 1000 + ms);
    for (uint32_t ms = 0; ms <= 100'000; ms += 7) {
      const uint32_t home = map.to_client(1000 + ms);
      ASSERT_LE(home, 100 + ms * rate);
      ASSERT_GE(home + 1 + rate, 100 + ms * rate);
    }
  }
}

TEST(ClockMap, BeforeTheFlowAndBeyondItsLatest) {
  ClockMap map;
  map.start(100, 1000);
  map.to_ours(200, 1100);
  EXPECT_EQ(map.to_client(2000), 200u) << "nothing newer was ever sent";
  EXPECT_EQ(map.to_client(500), 100u) << "nothing older was ever sent";
  EXPECT_EQ(map.to_ours(50, 1200), 1000u);
}

}  // namespace
}  // namespace sluice
