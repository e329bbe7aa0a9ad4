// SPDX-License-Identifier: BSD-3-Clause
// What file, operator and health make of the weights of a service.
#include "control/daemon/core/weights.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

const HealthView kDown{.health = Health::kDown, .takes_flows = false};
const HealthView kGood{.health = Health::kUp};

class Weights : public testing::Test {
 protected:
  Weights() {
    service_.vip = *parse_endpoint("10.3.0.1:80");
    service_.health_check.emplace();
    for (uint32_t i = 0; i < 3; ++i) {
      const auto address = *parse_endpoint("10.2.0.1" + std::to_string(i) + ":80");
      service_.backends.push_back({address, i + 1});
      keys_.push_back({key_of(service_), address});
      runtime_.health[keys_.back()] = kGood;
    }
  }
  std::vector<uint32_t> weights() const { return weights_of(service_, runtime_).weights; }

  ServiceConfig service_;
  RuntimeState runtime_;
  std::vector<BackendKey> keys_;
};

using List = std::vector<uint32_t>;

TEST_F(Weights, AreTheFilesWhereAllIsWell) {
  EXPECT_EQ(weights(), (List{1, 2, 3}));
  runtime_.health.clear();
  EXPECT_EQ(weights(), (List{1, 2, 3}));
}

TEST_F(Weights, ADownBackendHasNone) {
  runtime_.health[keys_[1]] = kDown;
  EXPECT_EQ(weights(), (List{1, 0, 3}));
  EXPECT_FALSE(weights_of(service_, runtime_).all_down);
}

TEST_F(Weights, AnOperatorOverrulesHealth) {
  runtime_.health[keys_[1]] = kDown;
  runtime_.overrides[keys_[1]] = {.weight = 7, .state = AdminState::kUp};
  runtime_.overrides[keys_[2]] = {.state = AdminState::kDown};
  EXPECT_EQ(weights(), (List{1, 7, 0}));
}

TEST_F(Weights, AllDown) {
  for (const BackendKey& key : keys_) runtime_.health[key] = kDown;
  EXPECT_EQ(weights(), (List{0, 0, 0}));
  EXPECT_TRUE(weights_of(service_, runtime_).all_down);
  service_.health_check->all_down = AllDown::kUseAll;
  runtime_.overrides[keys_[0]] = {.state = AdminState::kDrain};
  EXPECT_EQ(weights(), (List{0, 2, 3}));
  for (const BackendKey& key : keys_) runtime_.overrides[key] = {.state = AdminState::kDrain};
  EXPECT_EQ(weights(), (List{0, 0, 0}));  // that is the operator's will, not health
  EXPECT_FALSE(weights_of(service_, runtime_).all_down);
}

TEST_F(Weights, ASlowStartCountsInHundredths) {
  runtime_.health[keys_[1]] = {.health = Health::kStarting, .share_percent = 5};
  runtime_.health[keys_[0]] = kDown;
  EXPECT_EQ(weights(), (List{0, 10, 300}));
  runtime_.overrides[keys_[1]] = {.state = AdminState::kUp};
  EXPECT_EQ(weights(), (List{0, 2, 3}));
}

}  // namespace
}  // namespace sluice::control
