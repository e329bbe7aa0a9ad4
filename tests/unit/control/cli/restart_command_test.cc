// SPDX-License-Identifier: BSD-3-Clause
// What the plan of a restart says, by what runs and what is on disk.
#include "control/cli/restart_command.h"

#include <gtest/gtest.h>

#include "control/config/config_load.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr const char* kText = R"(
[[interface]]
name = "a"
device = "net_null0"
addresses = ["10.2.0.1/16"]
[[local_pool]]
addresses = ["10.2.0.5"]
ports = "1000-1999"
[[service]]
name = "web"
vip = "10.3.0.1:80"
[[service.backend]]
address = "10.2.0.10:80"
)";

Config config() {
  const LoadedConfig loaded = parse_config(kText);
  EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, "text");
  return loaded.config;
}

json running() {
  return {{"flows", 100},
          {"keeps", true},
          {"layout", 7},
          {"workers", 1},
          {"backends",
           {{{"protocol", "tcp"},
             {"vip", "10.3.0.1:80"},
             {"backend", "10.2.0.10:80"},
             {"flows", 100}}}},
          {"pools",
           {{{"protocol", "tcp"},
             {"local", "10.2.0.5"},
             {"ports", "1000-1999"},
             {"backend", "10.2.0.10:80"},
             {"flows", 100}}}}};
}

TEST(RestartPlan, TheSameKeepsAll) {
  const json plan = plan_restart(running(), config(), 7);
  EXPECT_EQ(plan["kept"], 100);
  EXPECT_EQ(plan["lost"], 0);
  EXPECT_TRUE(plan["findings"].empty());
}

TEST(RestartPlan, WhatIsNotConfiguredIsLost) {
  Config next = config();
  next.services[0].backends[0].address = *parse_endpoint("10.2.0.11:80");
  EXPECT_EQ(plan_restart(running(), next, 7)["lost"], 100);
  next = config();
  next.local_pools[0].addresses = {*parse_ip("10.2.0.6")};
  EXPECT_EQ(plan_restart(running(), next, 7)["lost"], 100);
}

TEST(RestartPlan, AProgramThatCannotReadItLosesAll) {
  EXPECT_EQ(plan_restart(running(), config(), 8)["lost"], 100);
  EXPECT_EQ(plan_restart(running(), config(), std::nullopt)["lost"], 100);
}

TEST(RestartPlan, NothingIsKeptWhereItIsNotWanted) {
  Config next = config();
  next.state.keep = false;
  EXPECT_EQ(plan_restart(running(), next, 7)["lost"], 100);
  json now = running();
  now["keeps"] = false;
  EXPECT_EQ(plan_restart(now, config(), 7)["lost"], 100);
}

TEST(RestartPlan, ASmallerTableLosesWhatHasNoRoom) {
  Config next = config();
  next.limits.flows_per_worker = 64;
  EXPECT_EQ(plan_restart(running(), next, 7)["lost"], 36);
  next.eal.worker_lcores = {1, 2};
  const json plan = plan_restart(running(), next, 7);
  EXPECT_EQ(plan["lost"], 0);
  EXPECT_EQ(plan["findings"].size(), 1u) << "that workers are others";
}

}  // namespace
}  // namespace sluice::control
