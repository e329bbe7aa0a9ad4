// SPDX-License-Identifier: BSD-3-Clause
// Packets that a device takes and does not send.
#include "control/daemon/core/tx_watch.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

// `seconds` of a device that is given 1,000 packets a second, and of `queues` queues sends those of
// `live`, `behind` packets late.
TxWatch::Loss loss_of(int seconds, uint64_t queues, uint64_t live, uint64_t behind) {
  TxWatch watch;
  for (int second = 1; second <= seconds; ++second) {
    const uint64_t accepted = 1000 * static_cast<uint64_t>(second);
    watch.look({{accepted, accepted * live / queues - behind}});
  }
  return watch.loss(0);
}

TEST(TxWatch, NothingIsLostOfWhatIsOnlyLate) {
  EXPECT_EQ(loss_of(60, 1, 1, 0).packets, 0);
  EXPECT_EQ(loss_of(60, 1, 1, 900).packets, 0);
}

TEST(TxWatch, ADeadQueueIsHalfOfThePackets) {
  const TxWatch::Loss loss = loss_of(60, 2, 1, 0);
  EXPECT_GT(loss.packets, 4000);
  EXPECT_NEAR(loss.percent, 45, 5);
}

TEST(TxWatch, IsNoticedWithinThreeSeconds) {
  EXPECT_GT(loss_of(4, 4, 1, 0).percent, 10);
}

TEST(TxWatch, CountersThatBeginAnewAreNoLoss) {
  TxWatch watch;
  for (uint64_t i = 1; i < 20; ++i) watch.look({{1000 * i, 1000 * i}});
  watch.look({{20'000, 10}});
  EXPECT_EQ(watch.loss(0).packets, 0);
  for (uint64_t i = 21; i < 40; ++i) watch.look({{1000 * i, 1000 * (i - 20)}});
  EXPECT_EQ(watch.loss(0).packets, 0);
}

TEST(TxWatch, ADriverThatDoesNotCountSaysNothing) {
  TxWatch watch;
  for (uint64_t i = 1; i < 20; ++i) watch.look({{1000 * i, 0}});
  EXPECT_EQ(watch.loss(0).packets, 0);
  EXPECT_EQ(watch.loss(7).packets, 0);
}

TEST(TxWatch, WhatEndsIsForgotten) {
  TxWatch watch;
  for (uint64_t i = 1; i < 20; ++i) watch.look({{1000 * i, 500 * i}});
  EXPECT_GT(watch.loss(0).packets, 0);
  for (uint64_t i = 0; i < TxWatch::kSamples + 2; ++i) watch.look({{20'000, 10'000}});
  EXPECT_EQ(watch.loss(0).packets, 0);
}

}  // namespace
}  // namespace sluice::control
