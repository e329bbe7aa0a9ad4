// SPDX-License-Identifier: BSD-3-Clause
// What overrides make of a backend's weight, and what is left of them after a reload.
#include "control/daemon/core/overrides.h"

#include <gtest/gtest.h>

#include "control/config/config_load.h"
#include "control/config/config_schema.h"
#include "control/daemon/core/snapshot_builder.h"

namespace sluice::control {
namespace {

IpEndpoint at(const char* text) {
  return *parse_endpoint(text);
}

Config make_config(const std::vector<std::string>& backends) {
  std::string text = R"(
[[interface]]
name = "client"
device = "net_null0"
addresses = ["10.1.255.254/16", "10.2.255.254/16"]
[[local_pool]]
ports = "1000-1009"
addresses = ["10.2.0.1"]
[[service]]
name = "web"
vip = "10.3.0.1:80"
)";
  for (const std::string& backend : backends) {
    text += "[[service.backend]]\nweight = 2\naddress = \"" + backend + "\"\n";
  }
  return parse_config(text).config;
}

const BackendKey kFirst{{net::Protocol::kTcp, at("10.3.0.1:80")}, at("10.2.0.10:80")};
const BackendKey kSecond{{net::Protocol::kTcp, at("10.3.0.1:80")}, at("10.2.0.11:80")};

TEST(Overrides, DecideTheWeight) {
  EXPECT_EQ(effective_weight(2, nullptr), 2u);
  const struct {
    Override over;
    uint32_t weight;
    const char* text;
  } cases[] = {
      {{}, 2, "-"},
      {{.weight = 5}, 5, "weight 5"},
      {{.weight = 0}, 0, "weight 0"},
      {{.state = AdminState::kUp}, 2, "up"},
      {{.state = AdminState::kDrain}, 0, "drain"},
      {{.state = AdminState::kDown}, 0, "down"},
      {{.weight = 5, .state = AdminState::kDrain}, 0, "weight 5, drain"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(effective_weight(2, &c.over), c.weight) << c.text;
    EXPECT_EQ(to_string(c.over), c.text);
  }
}

TEST(Overrides, StandOverTheSnapshot) {
  const Config config = make_config({"10.2.0.10:80", "10.2.0.11:80"});
  const auto registry = std::make_unique<Registry>();
  Steering alone;
  Identities identities({registry.get()}, net::Random({1, 2}), alone);
  identities.adopt(config, 0);
  RuntimeState runtime;
  runtime.overrides[kFirst] = {.weight = 6};
  auto snapshot =
      build_snapshot(config, weights_of(config, runtime), runtime.drain, identities, {{0, {}}}, 1);
  EXPECT_EQ(snapshot->services[0].backends[0].weight, 6u);
  EXPECT_EQ(snapshot->services[0].wrr_order.size(), 4u);
  EXPECT_FALSE(snapshot->draining);

  runtime.overrides[kFirst].state = AdminState::kDrain;
  runtime.drain = OnRefusal::kDrop;
  snapshot =
      build_snapshot(config, weights_of(config, runtime), runtime.drain, identities, {{0, {}}}, 2);
  EXPECT_EQ(snapshot->services[0].backends[0].weight, 0u);
  EXPECT_EQ(snapshot->services[0].wrr_order, std::vector<uint16_t>{1});
  EXPECT_TRUE(snapshot->draining);
  EXPECT_EQ(snapshot->services[0].on_refusal, OnRefusal::kDrop);
}

TEST(Overrides, GoWithTheirBackend) {
  const Overrides overrides = {{kFirst, {.weight = 5}}, {kSecond, {.weight = 6}}};
  EXPECT_EQ(still_configured(overrides, make_config({"10.2.0.11:80", "10.2.0.12:80"})),
            (Overrides{{kSecond, {.weight = 6}}}));
}

TEST(Overrides, BecomeWeights) {
  const Config config = make_config({"10.2.0.10:80", "10.2.0.11:80"});
  const Overrides overrides = {{kFirst, {.weight = 5}},
                               {kSecond, {.weight = 6, .state = AdminState::kDown}}};
  const Config saved = with_weights(config, overrides);
  EXPECT_EQ(saved.services[0].backends[0].weight, 5u);
  EXPECT_EQ(saved.services[0].backends[1].weight, 0u);
  EXPECT_EQ(
      list_overrides(overrides, config),
      (std::vector<std::string>{"web 10.2.0.10:80 weight 5", "web 10.2.0.11:80 weight 6, down"}));
}

TEST(Overrides, UpOverAHealthCheckIsNoMatterOfTheFile) {
  const Overrides overrides = {{kFirst, {.weight = 5, .state = AdminState::kUp}},
                               {kSecond, {.state = AdminState::kUp}}};
  EXPECT_EQ(for_the_file(overrides), (Overrides{{kFirst, {.weight = 5}}}));
  EXPECT_EQ(not_for_the_file(overrides), (Overrides{{kFirst, {.state = AdminState::kUp}},
                                                    {kSecond, {.state = AdminState::kUp}}}));
}

TEST(Overrides, ASlipOfThePenIsShownWhatIsNear) {
  const std::vector<std::string> known = {"10.2.0.10:80", "10.9.0.1:8080", "10.2.0.11:80"};
  EXPECT_EQ(near_ones("10.2.0.1:80", known, 2),
            (std::vector<std::string>{"10.2.0.10:80", "10.2.0.11:80"}));
  EXPECT_EQ(near_ones(std::string(5000, 'x'), known, 9).size(), 3u);
  EXPECT_TRUE(near_ones("x", {}, 3).empty());
}

}  // namespace
}  // namespace sluice::control
