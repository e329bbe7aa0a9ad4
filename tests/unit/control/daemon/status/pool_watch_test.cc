// SPDX-License-Identifier: BSD-3-Clause
// When a pool is said to be full: ports that cannot be taken count, those that can do not.
#include "control/daemon/status/pool_watch.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "control/config/config_load.h"

namespace sluice::control {
namespace {

constexpr uint32_t kTimeWaitMs = 60'000;

class PoolWatchTest : public testing::Test {
 protected:
  PoolWatchTest() {
    adopt("10.2.0.10:80");
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said_)));
  }
  ~PoolWatchTest() override { spdlog::set_default_logger(before_); }

  void adopt(const std::string& backend, const std::string& keys = "") {
    const LoadedConfig loaded = parse_config(R"(
      interface = [{name = "a", device = "net_null0", addresses = ["10.2.255.254/16"]}]
      local_pool = [{addresses = ["10.2.0.1"], ports = "1000-1099"}]
      service = [{name = "w", vip = "10.3.0.1:80", backend = [{address = ")" +
                                             backend + "\"}]" + keys + "}]");
    EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, "text");
    identities_.adopt(loaded.config, 0);
    ports_ = &registry_->pools[identities_.pools().begin()->second.id]->ports;
  }
  void forget_all() {
    identities_.adopt({}, now_ms_);
    identities_.free(identities_.forget(identities_.finished(now_ms_ + 100'000, 1)));
    ASSERT_TRUE(identities_.pools().empty());
  }

  // Opens so many flows that their backends will close first.
  void open(int count) {
    const ReuseRules rules{rules_.reuse, kTimeWaitMs, 0};
    for (int i = 0; i < count; ++i) {
      const auto taken = ports_->take_unadjusted({}, rules, static_cast<uint32_t>(now_ms_));
      ASSERT_TRUE(taken);
      open_.push_back(taken->port);
    }
  }
  void close_all() {
    const PriorIncarnation held{static_cast<uint32_t>(now_ms_), 1, 0,
                                PriorIncarnation::Kind::kTimeWait, false};
    for (const uint16_t port : open_) ports_->give_back(port, held, PortPool::kNoFlow);
    open_.clear();
  }
  // What is logged in so many seconds.
  std::string after(uint64_t seconds) {
    said_.str("");
    for (uint64_t i = 0; i < seconds; ++i) {
      now_ms_ += 1000;
      watch_.look(identities_, rules_, now_ms_);
    }
    return said_.str();
  }

  std::ostringstream said_;
  std::unique_ptr<Registry> registry_ = std::make_unique<Registry>();
  Steering alone_;
  Identities identities_{{registry_.get()}, net::Random({1, 2}), alone_};
  PortPool* ports_ = nullptr;
  PoolWatch watch_;
  TimeWaitConfig rules_;
  uint64_t now_ms_ = 1'000'000;
  std::vector<uint16_t> open_;

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(PoolWatchTest, PortsInUseCountUnderEveryPolicy) {
  for (const auto policy : {ReusePolicy::kNever, ReusePolicy::kNatural, ReusePolicy::kRebase}) {
    watch_ = {};
    rules_.reuse = policy;
    open(79);
    EXPECT_EQ(after(3), "");
    open(1);
    EXPECT_NE(after(1).find("10.2.0.1 -> 10.2.0.10:80: 80 % of 100 ports are in use"),
              std::string::npos);
    EXPECT_EQ(after(3), "") << "once";
    open(16);
    EXPECT_NE(after(1).find("96 %"), std::string::npos);
    for (const uint16_t port : open_) ports_->give_back(port, {}, PortPool::kNoFlow);
    open_.clear();
    EXPECT_EQ(after(1), "");
  }
}

TEST_F(PoolWatchTest, WhatRestsCountsWhereItCannotBeTaken) {
  rules_.reuse = ReusePolicy::kNever;
  open(60);
  EXPECT_EQ(after(5), "");
  close_all();
  open(25);
  EXPECT_NE(after(1).find("85 % of 100 ports are in use or rest in TIME_WAIT"), std::string::npos);
}

TEST_F(PoolWatchTest, UdpWaitsForNoTimeWait) {
  forget_all();
  adopt("10.2.0.10:80", ", protocol = \"udp\"");
  rules_.reuse = ReusePolicy::kNever;
  net::Random random({3, 4});
  const auto now32 = static_cast<uint32_t>(now_ms_);
  for (int i = 0; i < 90; ++i) {
    const auto taken = ports_->take_random(0, 0, now32, random);
    ASSERT_TRUE(taken);
    open_.push_back(taken->port);
  }
  for (const uint16_t port : open_) ports_->give_back_udp(port, true, now32);
  open_.clear();
  EXPECT_EQ(after(5), "");
}

TEST_F(PoolWatchTest, WhatRestsIsTakenUnderRebase) {
  open(90);
  close_all();
  EXPECT_EQ(after(5), "");
}

// They stay in the FIFO, and are as good as clean ones.
TEST_F(PoolWatchTest, WhatHasRestedTimeWaitOutDoesNotCount) {
  rules_.reuse = ReusePolicy::kNatural;
  after(70);
  open(90);
  after(1);
  close_all();
  const std::string over = after(75);
  EXPECT_EQ(over, "");
  open(10);
  EXPECT_EQ(after(1), "") << "10 in use, 90 rested";
  close_all();
  open(40);
  EXPECT_EQ(after(1), "") << "40 in use, 10 rest, 50 rested";
  open(35);
  EXPECT_NE(after(1).find("85 %"), std::string::npos) << "75 in use, 10 rest, 15 rested";
}

TEST_F(PoolWatchTest, APoolThatIsGoneIsForgotten) {
  open(90);
  EXPECT_NE(after(1), "");
  close_all();
  forget_all();
  EXPECT_EQ(after(1), "");
}

// Another pool has its id, or it is back itself after it was gone: its level begins anew.
TEST_F(PoolWatchTest, APoolWithTheIdOfOneThatIsGoneBeginsAnew) {
  open(90);
  EXPECT_NE(after(1), "");
  close_all();
  forget_all();
  adopt("10.2.0.11:80");
  open(90);
  EXPECT_NE(after(1), "");
  close_all();
  forget_all();
  EXPECT_EQ(after(1), "");
  adopt("10.2.0.11:80");
  open(90);
  EXPECT_NE(after(1), "");
}

}  // namespace
}  // namespace sluice::control
