// SPDX-License-Identifier: BSD-3-Clause
// The table of clients: what is counted, who makes way, and that nothing is lost or counted twice.
#include "dataplane/port/client_table.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

constexpr uint32_t kFlows = 1000;

ClientKey client(uint32_t number, uint16_t service = 1) {
  return make_client_key(address_key(net::Ipv4Address::from_host(number)), 32, 64, service);
}

class Clients : public testing::TestWithParam<bool> {
 protected:
  void make(uint32_t count) {
    table_ = std::make_unique<ClientTable>(ClientTable::Setup{
        count, kFlows, random_, std::pmr::get_default_resource(), -1, GetParam()});
  }
  uint64_t active(const ClientKey& key) const {
    const ClientTable::Client* found = table_->find(key);
    return found == nullptr ? 0 : found->active.value();
  }

  net::Random random_{{1, 2}};
  std::unique_ptr<ClientTable> table_;
};

TEST_P(Clients, FlowsAreCountedByClientAndService) {
  make(8);
  EXPECT_EQ(table_->find(client(1)), nullptr);
  EXPECT_TRUE(table_->flow_opened(0, client(1), 5000));
  EXPECT_TRUE(table_->flow_opened(1, client(1), 5000));
  EXPECT_TRUE(table_->flow_opened(2, client(1, 2), 5000));
  EXPECT_TRUE(table_->flow_opened(3, client(2), 5000));
  EXPECT_EQ(active(client(1)), 2u);
  EXPECT_EQ(active(client(1, 2)), 1u);
  EXPECT_EQ(table_->find(client(1))->opened.in_last_second(5000), 2u);
  table_->flow_over(0);
  table_->flow_over(0);
  EXPECT_EQ(active(client(1)), 1u) << "a flow is over once";
  EXPECT_EQ(table_->client_count(), 3u);
}

TEST_P(Clients, TheStrangerThatWasHeardOfLeastRecentlyMakesWay) {
  make(3);
  for (uint32_t i = 0; i < 3; ++i) table_->flow_opened(i, client(i), 0);
  table_->flow_opened(3, client(0), 0);  // heard of again
  table_->flow_opened(4, client(9), 0);
  EXPECT_NE(table_->find(client(0)), nullptr);
  EXPECT_EQ(table_->find(client(1)), nullptr);
  EXPECT_EQ(table_->evicted_count(), 1u);
  table_->flow_over(1);  // of the one that made way: nobody's count moves
  EXPECT_EQ(active(client(9)), 1u);
}

TEST_P(Clients, AFloodOfStrangersPushesOutNobodyWhoIsConnected) {
  make(16);
  for (uint32_t i = 0; i < 8; ++i) {
    table_->flow_opened(i, client(i), 0);
    table_->flow_established(i, client(i));
  }
  for (uint32_t i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(table_->flow_opened(100 + i % 800, client(1000 + i), 0));
  }
  for (uint32_t i = 0; i < 8; ++i) EXPECT_EQ(active(client(i)), 1u) << i;
  table_->flow_over(3);  // a stranger again
  for (uint32_t i = 0; i < 20; ++i) table_->flow_opened(100 + i, client(50'000 + i), 0);
  EXPECT_EQ(table_->find(client(3)), nullptr);
}

TEST_P(Clients, WhereAllAreConnectedOthersAreNotCounted) {
  make(4);
  for (uint32_t i = 0; i < 4; ++i) {
    table_->flow_opened(i, client(i), 0);
    table_->flow_established(i, client(i));
  }
  EXPECT_FALSE(table_->flow_opened(4, client(9), 0));
  table_->flow_established(4, client(9));
  table_->flow_over(4);
  EXPECT_EQ(table_->find(client(9)), nullptr);
  table_->flow_over(0);
  EXPECT_TRUE(table_->flow_opened(5, client(9), 0));
}

TEST_P(Clients, WhoWasForgottenInTheHandshakeCountsAgain) {
  make(2);
  table_->flow_opened(0, client(1), 0);
  table_->flow_opened(1, client(2), 0);
  table_->flow_opened(2, client(3), 0);
  ASSERT_EQ(table_->find(client(1)), nullptr);
  table_->flow_established(0, client(1));
  EXPECT_EQ(active(client(1)), 1u);
  table_->flow_established(0, client(1));
  EXPECT_EQ(active(client(1)), 1u);
  table_->flow_over(0);
  EXPECT_EQ(active(client(1)), 0u);
}

// Against a model that knows which flows are established.
TEST_P(Clients, WhoIsConnectedIsCountedRightWhateverHappens) {
  make(32);
  std::mt19937 random(7);
  struct State {
    bool open = false, established = false;
    uint32_t who = 0;
  };
  std::vector<State> flows(kFlows);
  std::vector<uint32_t> established(200, 0);
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t flow = random() % kFlows;
    State& state = flows[flow];
    if (!state.open) {
      const bool is_regular = random() % 2 == 0;
      state = {true, false,
               static_cast<uint32_t>(is_regular ? random() % 16 : 16 + random() % 184)};
      table_->flow_opened(flow, client(state.who), 0);
    } else if (!state.established && state.who < 16 && random() % 2 == 0) {
      table_->flow_established(flow, client(state.who));
      state.established = true;
      ++established[state.who];
    } else {
      table_->flow_over(flow);
      if (state.established) --established[state.who];
      state = {};
    }
    const uint32_t who = random() % 16;
    ASSERT_GE(active(client(who)), established[who]) << i;
  }
  for (uint32_t flow = 0; flow < kFlows; ++flow) table_->flow_over(flow);
  for (uint32_t who = 0; who < 200; ++who) EXPECT_EQ(active(client(who)), 0u);
}

TEST_P(Clients, NoTableCountsNobody) {
  make(0);
  EXPECT_FALSE(table_->flow_opened(0, client(1), 0));
  table_->flow_established(0, client(1));
  table_->flow_over(0);
  EXPECT_EQ(table_->find(client(1)), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Table, Clients, testing::Bool(),
                         [](const auto& each) { return each.param ? "Shared" : "Alone"; });

}  // namespace
}  // namespace sluice
