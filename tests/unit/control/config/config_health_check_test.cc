// SPDX-License-Identifier: BSD-3-Clause
// [service.health_check]: what arrives of it, and whom it asks for.
#include <gtest/gtest.h>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

/// Of a check by HTTP with these keys more.
std::string problems_with(const std::string& keys) {
  const Text text{.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"s0\"",
                  .more = "[service.health_check]\ntype = \"http\"\n" + keys + "\n"};
  return describe(parse_config(text.str()).problems, "f");
}

TEST(HealthCheckConfigs, Arrive) {
  const Config config = load_config(SLUICE_SOURCE_ROOT "/conf/example.toml").config;
  const HealthCheckConfig& first = *config.services.at(0).health_check;
  EXPECT_EQ(first.type, CheckType::kHttps);
  EXPECT_EQ(first.expect_status, (std::vector<StatusRange>{{200, 399}}));
  EXPECT_TRUE(first.passive && first.tls_verify);
  EXPECT_EQ(first.slow_start, std::chrono::seconds(30));
  EXPECT_EQ(config.services.at(1).health_check->command.size(), 2u);
  EXPECT_FALSE(parse_config(Text{}.str()).config.services.at(0).health_check);
  EXPECT_EQ(problems_with("expect_status = [204, \"300-308\"]"), "");
}

TEST(HealthCheckConfigs, AskForANameOrAnAddress) {
  for (const char* host : {"web", "web:80", "10.2.0.10:80", "[fd00::1]", "[fd00::1]:8080"}) {
    EXPECT_EQ(problems_with("host = \"" + std::string(host) + "\""), "") << host;
  }
  for (const char* host :
       {"fd00::1", "[fd00::1]:0", "[fd00::1]:", "[10.2.0.10]", "[]", "[", "a:"}) {
    EXPECT_NE(problems_with("host = \"" + std::string(host) + "\""), "") << host;
  }
}

}  // namespace
}  // namespace sluice::control
