// SPDX-License-Identifier: BSD-3-Clause
// The words of enumerations: each is read as what it is printed for.
#include "control/config/config_enums.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

template <class Enum>
class EnumWords : public testing::Test {};

using Enumerations =
    testing::Types<LogLevel, net::Protocol, SteeringChoice, TimestampPolicy, CheckType, HttpMethod,
                   OnDown, AllDown, IdleMode, ReusePolicy, SchedulerKind, OnRefusal, FlowIndexKind>;
TYPED_TEST_SUITE(EnumWords, Enumerations);

TYPED_TEST(EnumWords, AreReadAsTheyArePrinted) {
  uint32_t next = 0;
  for (const auto& [word, value] : kWordsOf<TypeParam>) {
    EXPECT_EQ(static_cast<uint32_t>(value), next++) << word << ": one is left out, or twice there";
    EXPECT_EQ(value_of<TypeParam>(word), value);
    EXPECT_EQ(to_string(value), word);
  }
  EXPECT_EQ(value_of<TypeParam>(""), std::nullopt);
  EXPECT_EQ(to_string(static_cast<TypeParam>(next)), "?");
}

TEST(EnumWordsList, IsWhatAnErrorSays) {
  EXPECT_EQ(one_of(words_of<ReusePolicy>()), R"("never" | "natural" | "rebase")");
}

}  // namespace
}  // namespace sluice::control
