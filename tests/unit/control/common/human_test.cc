// SPDX-License-Identifier: BSD-3-Clause
// Numbers as a person reads them.
#include "control/common/human.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

TEST(Human, Counts) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(human_count(9999999), "9,999,999");
  EXPECT_EQ(human_count(12345678), "12.3M");
  EXPECT_EQ(human_count(999999999), "1.0G");
  EXPECT_EQ(human_count(1e30), "1000000000000.0E");
}

TEST(Human, Bytes) {
  EXPECT_EQ(human_bytes(0), "0");
  EXPECT_EQ(human_bytes(1023), "1023");
  EXPECT_EQ(human_bytes(1536), "1.5K");
  EXPECT_EQ(human_bytes(1048576), "1.0M");
}

TEST(Human, Durations) {
  EXPECT_EQ(human_ms(0), "0ms");
  EXPECT_EQ(human_ms(1500), "1.5s");
  EXPECT_EQ(human_ms(61500), "1m01s");
  EXPECT_EQ(human_ms(7440000), "2h04m");
}

}  // namespace
}  // namespace sluice::control
