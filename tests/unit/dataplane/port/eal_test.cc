// SPDX-License-Identifier: BSD-3-Clause
// What EAL is started with, by what is configured.
#include "dataplane/port/eal.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::test {
namespace {

using Words = std::vector<std::string>;

bool has(const Words& args, const Words& wanted) {
  return std::search(args.begin(), args.end(), wanted.begin(), wanted.end()) != args.end();
}

TEST(Eal, TakesTheDevicesThatAreNamedWithTheirArguments) {
  EalOptions options;
  options.allowed = {"0000:00:05.0,speed=40000", "0000:00:06.0"};
  const Words args = eal_arguments(options);
  EXPECT_TRUE(has(args, {"-a", "0000:00:05.0,speed=40000"}));
  EXPECT_TRUE(has(args, {"-a", "0000:00:06.0"}));
  EXPECT_FALSE(has(args, {"--no-pci"}));
}

// Without a list EAL would take every card that is bound to it.
TEST(Eal, LooksAtNoPciDeviceWhereNoneIsNamed) {
  EalOptions options;
  EXPECT_TRUE(has(eal_arguments(options), {"--no-pci"}));
  for (const Words& named : {Words{"-a", "0000:00:07.0"}, Words{"--allow=0000:00:07.0"}}) {
    options.args = named;
    EXPECT_FALSE(has(eal_arguments(options), {"--no-pci"}));
    EXPECT_TRUE(has(eal_arguments(options), named));
  }
}

}  // namespace
}  // namespace sluice::test
