// SPDX-License-Identifier: BSD-3-Clause
// A new snapshot under running flows, and the questions that the control thread may ask.
#include "dataplane/errand.h"
#include "tests/eal/stage.h"

namespace sluice::test {
namespace {

class Reload : public Stage {
 protected:
  void expect_flowing() {
    from_client(inbound(kAck, 1001, 5001));
    EXPECT_EQ(only(kBackendLink).to(), kBackend);
    from_backend(outbound(kAck, 5001, 1001));
    EXPECT_EQ(only(kClientLink).from(), kVip);
  }
};

TEST_F(Reload, FlowsOfARemovedBackendGoOnAndNewOnesGoElsewhere) {
  Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);
  ASSERT_EQ(backend_, kBackend);
  auto next = make_snapshot(scene);
  next->services[0].backends.erase(next->services[0].backends.begin());
  next->services[0].turns = {0};
  adopt(std::move(next));
  sent.clear();
  expect_flowing();
  const net::Endpoint old = client_;
  for (int i = 0; i < 3; ++i) {
    next_client();
    EXPECT_EQ(open(1000).to().ip, ip4(10, 2, 0, 11));
  }
  client_ = old;
}

TEST_F(Reload, AHealOfARemovedBackendsFlowStaysOnItsPort) {
  Scene scene{.backends = 2};
  start(scene);
  const Sent syn = open(1000);
  auto next = make_snapshot(scene);
  next->services[0].backends.erase(next->services[0].backends.begin());
  next->services[0].turns = {0};
  adopt(std::move(next));
  sent.clear();
  for (const uint32_t ack : {0x40000000u, 0xa0000000u}) {
    from_backend(outbound(kAck, 777, ack));
    pass(60);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].flags(), kRst);
    EXPECT_EQ(sent[1].flags(), kSyn);
    EXPECT_EQ(sent[1].from(), syn.from());
    EXPECT_EQ(sent[1].to(), syn.to());
    sent.clear();
  }
}

TEST_F(Reload, ARemovedServicesFlowsGoOnAndANewSynIsRefused) {
  Scene scene;
  start(scene);
  establish(1000, 5000);
  auto next = make_snapshot(scene);
  next->services.clear();
  adopt(std::move(next));
  sent.clear();
  expect_flowing();
  close_by_backend(1001, 5001);
  EXPECT_DROP(no_service, from_client(inbound(kSyn, 90'000)));
  EXPECT_EQ(only(kClientLink).flags(), kRstAck);
}

TEST_F(Reload, RoutesAreLookedUpAnew) {
  Scene scene;
  start(scene);
  establish(1000, 5000);
  auto next = make_snapshot(scene);
  const net::Ipv4Address router = ip4(10, 2, 0, 200);
  next->routes.push_back({{kBackend.ip, 32}, router, 1, ip4(10, 2, 0, 254)});
  next->seal();
  adopt(std::move(next));
  sent.clear();
  from_client(inbound(kAck, 1001, 5001));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), host_mac(router));
  sent.clear();
}

TEST_F(Reload, ShorterTimesCountFromTheNextState) {
  Scene scene;
  start(scene);
  establish(1000, 5000);
  scene.timeouts_ms.fill(1000);
  adopt(make_snapshot(scene));
  sent.clear();
  close_by_client(1001, 5001);
  pass(1100);
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Reload, ListFlowsCopiesUpToItsNumber) {
  start();
  for (int i = 0; i < 5; ++i, next_client()) open(1000);
  for (const size_t wanted : {0u, 1u, 5u, 100u}) {
    ListFlows list(wanted);
    int steps = 0;
    while (!list.step(*core)) ASSERT_LT(++steps, 100);
    EXPECT_EQ(list.rows().size(), std::min<size_t>(wanted, 5));
    EXPECT_EQ(list.flow_count(), 5u);
    EXPECT_EQ(list.now_ms(), core->now32());
    for (const Flow& flow : list.rows()) EXPECT_EQ(flow.vip(), kVip);
  }
}

TEST_F(Reload, ExplainSaysWhatWouldHappen) {
  start();
  establish(1000, 5000, option::timestamps(70, 1));
  ExplainTuple in_use(0, local_.port.host(), {});
  EXPECT_TRUE(in_use.step(*core));
  EXPECT_TRUE(in_use.answer().in_use);
  close_by_backend(1001, 5001, option::timestamps(75, 1));
  pass(500);
  ExplainTuple resting(0, local_.port.host(), SynNumbers{1, 1, true});
  EXPECT_TRUE(resting.step(*core));
  EXPECT_FALSE(resting.answer().in_use);
  EXPECT_EQ(resting.answer().age_ms, 500u);
  EXPECT_EQ(resting.answer().legacy.last_tsval, 75u);
  EXPECT_FALSE(resting.answer().linux_takes);
  EXPECT_TRUE(resting.answer().shift.any());
}

}  // namespace
}  // namespace sluice::test
