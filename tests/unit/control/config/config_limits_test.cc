// SPDX-License-Identifier: BSD-3-Clause
// How much a configuration may name in all.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/config_check.h"
#include "control/config/config_load.h"
#include "dataplane/state/registry.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

// 200 local addresses for services of 600 backends: the third service passes the limit.
TEST(ConfigLimits, MorePathsThanThereIsRoomForAreSaidWhereTheLimitIsPassed) {
  std::string locals;
  for (int i = 1; i <= 200; ++i) locals += fmt::format("\"10.2.0.{}\", ", i);
  std::string text = Text{.pool = "addresses = [" + locals + "]"}.str();
  for (int service = 1; service < 5; ++service) {
    text += fmt::format("[[service]]\nname = \"s{0}\"\nvip = \"10.3.1.{0}:80\"\n", service);
    for (int backend = 0; backend < 600; ++backend) {
      text += fmt::format("[[service.backend]]\naddress = \"10.1.{}.{}:{}\"\n", backend / 200,
                          1 + backend % 200, 1000 + service);
    }
  }
  const std::string problems = describe(parse_config(text).problems, "f");
  EXPECT_NE(problems.find("service: got more pairs of a local address and a backend than there is "
                          "room for, expected at most 262144 in all services together"),
            std::string::npos)
      << problems.substr(0, 500);
  EXPECT_EQ(std::ranges::count(problems, '\n'), 1) << problems.substr(0, 500);
  const int line = 2 * (3 + 2 * 600);
  EXPECT_NEAR(std::stoi(problems.substr(2)), line, 20);
}

// A file of so many takes long to read where nothing is optimised.
TEST(ConfigLimits, MoreBackendsThanThereIsRoomForAreRefused) {
  Config config;
  config.limits.neighbours_per_worker = 1'048'576;
  config.local_pools.emplace_back();
  config.services.resize(146);
  for (ServiceConfig& service : config.services) service.backends.resize(900);
  const auto problems = [&] {
    Reader reader;
    std::vector<std::string> warnings;
    check_config(config, reader, warnings);
    return reader.problems.sorted();
  };
  config.services.back().backends.resize(Registry::kBackends - 145 * 900);
  EXPECT_EQ(problems().size(), 0u);
  config.services.back().backends.emplace_back();
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_EQ(problems()[0].expected, "at most 131072 in all services together");
}

}  // namespace
}  // namespace sluice::control
