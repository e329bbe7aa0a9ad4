// SPDX-License-Identifier: BSD-3-Clause
// Handshake times of late, and the histograms that they are made of.
#include "control/daemon/core/handshake_latency.h"

#include <gtest/gtest.h>

#include <numeric>

#include "control/config/config_load.h"

namespace sluice::control {
namespace {

TEST(HandshakeTimes, EachTimeFallsIntoItsBucket) {
  HandshakeTimes times;
  for (const uint32_t bound : kHandshakeBoundsUs) times.count(bound);  // included
  for (const uint32_t bound : kHandshakeBoundsUs) times.count(bound + 1);
  EXPECT_EQ(times.buckets.front().value(), 1u);
  for (size_t i = 1; i < kHandshakeBoundsUs.size(); ++i) EXPECT_EQ(times.buckets[i].value(), 2u);
  EXPECT_EQ(times.buckets.back().value(), 1u);
  const uint64_t sum = std::accumulate(kHandshakeBoundsUs.begin(), kHandshakeBoundsUs.end(), 0u);
  EXPECT_EQ(times.sum.value(), 2 * sum + kHandshakeBoundsUs.size());
}

TEST(BurstSizes, EachSizeFallsIntoItsBucket) {
  BurstSizes sizes;
  for (uint32_t packets = 1; packets <= 64; ++packets) sizes.count(packets);
  EXPECT_EQ(sizes.buckets[0].value(), 1u);
  for (size_t i = 1; i < kBurstBounds.size(); ++i) {
    EXPECT_EQ(sizes.buckets[i].value(), kBurstBounds[i] - kBurstBounds[i - 1]);
  }
  EXPECT_EQ(sizes.buckets.back().value(), 0u);
  EXPECT_EQ(sizes.sum.value(), 65u * 32u);
}

class HandshakeWatchTest : public testing::Test {
 protected:
  HandshakeWatchTest() {
    const LoadedConfig loaded = parse_config(R"(
[[interface]]
name = "client"
device = "net_null0"
addresses = ["10.1.255.254/16", "10.2.255.254/16"]
[[local_pool]]
addresses = ["10.2.0.1"]
ports = "1000-1009"
[[service]]
name = "web"
vip = "10.3.0.1:80"
[[service.backend]]
address = "10.2.0.10:80"
)");
    identities_.adopt(loaded.config, 0);
  }
  HandshakeTimes& times() { return registry_->backends[0]->handshakes; }

  BackendKey key_{{net::Protocol::kTcp, *parse_endpoint("10.3.0.1:80")},
                  *parse_endpoint("10.2.0.10:80")};
  std::unique_ptr<Registry> registry_ = std::make_unique<Registry>();
  Steering alone_;
  Identities identities_{{registry_.get()}, net::Random({1, 2}), alone_};
  HandshakeLatency watch_;
};

TEST_F(HandshakeWatchTest, SaysNothingWithoutHandshakes) {
  EXPECT_FALSE(watch_.quantile_ms(key_, 0.5));
  watch_.sample(identities_);
  EXPECT_FALSE(watch_.quantile_ms(key_, 0.5));
}

TEST_F(HandshakeWatchTest, GivesQuantiles) {
  watch_.sample(identities_);
  for (int i = 0; i < 90; ++i) times().count(700);
  for (int i = 0; i < 10; ++i) times().count(40'000);
  watch_.sample(identities_);
  EXPECT_NEAR(*watch_.quantile_ms(key_, 0.5), 0.75, 0.25);
  EXPECT_NEAR(*watch_.quantile_ms(key_, 0.99), 37.5, 12.5);
}

TEST_F(HandshakeWatchTest, ForgetsWhatIsPast) {
  watch_.sample(identities_);
  for (int i = 0; i < 1000; ++i) times().count(900'000);
  watch_.sample(identities_);
  EXPECT_GT(*watch_.quantile_ms(key_, 0.5), 500);
  for (int second = 0; second < 10; ++second) {
    EXPECT_GT(*watch_.quantile_ms(key_, 0.9), 500);
    times().count(700);
    watch_.sample(identities_);
  }
  EXPECT_LE(*watch_.quantile_ms(key_, 1.0), 1);
  for (int second = 0; second < 9; ++second) watch_.sample(identities_);
  EXPECT_LE(*watch_.quantile_ms(key_, 1.0), 1);
  watch_.sample(identities_);
  EXPECT_FALSE(watch_.quantile_ms(key_, 0.5));
}

TEST_F(HandshakeWatchTest, WhatIsSlowerThanAnyBucketIsAtLeastTheLast) {
  watch_.sample(identities_);
  for (int i = 0; i < 10; ++i) times().count(30'000'000);
  watch_.sample(identities_);
  EXPECT_EQ(*watch_.quantile_ms(key_, 0.5), kHandshakeBoundsUs.back() / 1000.0);
}

}  // namespace
}  // namespace sluice::control
