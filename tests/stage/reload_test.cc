// SPDX-License-Identifier: BSD-3-Clause
// A new snapshot under running flows, and the questions that the control thread may ask.
#include "dataplane/worker/worker_call.h"
#include "tests/stage/stage.h"

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
  next->services[0].wrr_order = {0};
  adopt(std::move(next));
  sent.clear();
  expect_flowing();
  const net::Ipv4Endpoint old = client_;
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
  next->services[0].wrr_order = {0};
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

TEST_F(Reload, AnOperatorMayResetTheFlowsOfABackend) {
  Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);  // to the first
  const net::Ipv4Endpoint first = local_;
  next_client();
  establish(2000, 6000);  // to the second, and over by the time
  close_by_client(2001, 6001);
  next_client();
  const Sent syn = open(3000);  // to the first again, unanswered
  ResetFlows second_backend(ResetFlows::Backends().set(snapshot->services[0].backends[1].id));
  while (!second_backend.step(*core)) continue;
  EXPECT_EQ(second_backend.reset_count(), 0u);
  expect_nothing();

  ResetFlows first_backend(ResetFlows::Backends().set(snapshot->services[0].backends[0].id));
  while (!first_backend.step(*core)) continue;
  core->tx.flush();
  EXPECT_EQ(first_backend.reset_count(), 2u);
  EXPECT_EQ(events(Event::flows_reset), 2u);
  ASSERT_EQ(sent.size(), 4u);
  for (const Sent& reset : sent) {
    EXPECT_TRUE(reset.flags() & kRst);
    const bool established = reset.from() == first || reset.to() == kClient;
    const bool to_backend = reset.port == kBackendLink;
    EXPECT_EQ(reset.sequence(), to_backend    ? (established ? 1001u : 3001u)
                                : established ? 5001u
                                              : 0u);
  }
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(backend(0).active.value(), 0u);
}

// Before a stop: who waits for a SYN-ACK sends its SYN again, and finds whoever is here then.
TEST_F(Reload, AnUnansweredClientMayBeLeftToTryAgain) {
  start();
  establish(1000, 5000);
  next_client();
  open(3000);
  ResetFlows all(ResetFlows::Backends().set(), ResetFlows::Unanswered::kLetRetry);
  while (!all.step(*core)) continue;
  core->tx.flush();
  EXPECT_EQ(all.reset_count(), 2u);
  ASSERT_EQ(sent.size(), 3u);
  size_t to_clients = 0;
  for (const Sent& reset : sent) {
    EXPECT_TRUE(reset.flags() & kRst);
    to_clients += reset.port == kBackendLink ? 0 : 1;
  }
  EXPECT_EQ(to_clients, 1u);
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

// What the device had no room for is not sent any more: it is given time.
TEST_F(Reload, ResetsWaitForADeviceThatIsFull) {
  start();
  for (uint32_t i = 0; i < 12; ++i) {
    open(1000 + i);
    next_client();
  }
  ResetFlows all(ResetFlows::Backends().set());
  ASSERT_FALSE(all.step(*core));
  const uint64_t first = all.reset_count();
  core->counters.count(net::DropReason::tx_full);
  core->counters.packets_in.add(1);  // the one that it had no room for
  EXPECT_FALSE(all.step(*core));
  EXPECT_FALSE(all.step(*core));
  EXPECT_EQ(all.reset_count(), first);
  pass(1);
  while (!all.step(*core)) continue;
  EXPECT_EQ(all.reset_count(), 12u);
  core->tx.flush();
  sent.clear();
}

TEST_F(Reload, WeightsAloneAreNoNewsToNeighbours) {
  Scene scene{.backends = 2};
  start(scene);
  auto next = make_snapshot(scene);
  next->network_generation = snapshot->network_generation;
  next->services[0].backends[1].weight = 0;
  next->services[0].wrr_order = {0};
  const uint64_t asked = events(Event::arp_requests_sent);
  adopt(std::move(next));
  expect_nothing();
  EXPECT_EQ(events(Event::arp_requests_sent), asked);
  adopt(make_snapshot(scene));
  pass(20);
  EXPECT_GT(events(Event::arp_requests_sent), asked) << "announced";
}

TEST_F(Reload, AnUnansweredSynGoesElsewhereOnceItsBackendTakesNoNewFlows) {
  Scene scene{.backends = 2};
  start(scene);
  const Sent first = open(1000);
  pass(1000);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).to(), first.to());
  auto next = make_snapshot(scene);
  next->network_generation = snapshot->network_generation;
  next->services[0].backends[0].weight = 0;
  next->services[0].wrr_order = {1};
  adopt(std::move(next));
  pass(2000);
  from_client(inbound(kSyn, 1000));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].to(), first.to());
  EXPECT_TRUE(sent[0].flags() & kRst);
  EXPECT_NE(sent[1].to(), first.to());
  EXPECT_EQ(sent[1].flags(), kSyn);
  sent.clear();
  EXPECT_EQ(backend(0).unanswered.value(), 2u);
  EXPECT_EQ(backend(0).answered.value(), 0u);
  EXPECT_EQ(core->flows.flow_count(), 1u);
}

TEST_F(Reload, ARemovedServicesFlowsGoOnAndANewSynIsRefused) {
  Scene scene;
  start(scene);
  establish(1000, 5000);
  auto next = make_snapshot(scene);
  next->services.clear();
  next->removed_services = {{0, net::Protocol::kTcp, kVip}};
  next->seal();
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
  next->v4.routes.push_back({{kBackend.ip, 32}, router, 1, ip4(10, 2, 0, 254)});
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
    ListFlows list({}, {.rows_max = wanted});
    int steps = 0;
    while (!list.step(*core)) ASSERT_LT(++steps, 100);
    EXPECT_EQ(list.rows().size(), std::min<size_t>(wanted, 5));
    EXPECT_EQ(list.flow_count(), 5u);
    for (const ListFlows::Row& flow : list.rows()) {
      EXPECT_EQ(flow.vip, kVip);
      EXPECT_EQ(flow.backend, kBackend);
      EXPECT_EQ(flow.idle_ms, 0u);
    }
  }
}

// All rows of a filter, in questions that may look at three entries each.
size_t rows_of(Core& core, const FlowFilter& filter) {
  size_t count = 0;
  uint32_t first = 0;
  for (int questions = 0; questions < 1000; ++questions) {
    ListFlows list(filter, {first, 3, 100});
    while (!list.step(core)) {
    }
    EXPECT_LE(list.looked_at(), 3u);
    count += list.rows().size();
    if (!list.next()) return count;
    first = *list.next();
  }
  return SIZE_MAX;
}

TEST_F(Reload, ListFlowsByClientBackendServiceStateAndAge) {
  start({.limits = {16, 16, 8}});
  establish(1000, 5000);
  const net::Ipv4Endpoint first = client_;
  pass(2500);
  next_client();
  open(1000);
  const auto count = [&](const FlowFilter& filter) { return rows_of(*core, filter); };
  EXPECT_EQ(count({}), 2u);
  EXPECT_EQ(count({.client = net::IpPrefix{first.ip, 32}, .client_port = first.port}), 1u);
  EXPECT_EQ(count({.client = net::IpPrefix{first.ip, 8}}), 2u);
  EXPECT_EQ(count({.backend = net::IpPrefix{kBackend.ip, 32}, .backend_port = kBackend.port}), 2u);
  EXPECT_EQ(count({.backend = net::IpPrefix{kVip.ip, 32}}), 0u);
  EXPECT_EQ(count({.service = core->flows[0].key.service}), 2u);
  EXPECT_EQ(count({.service = 77}), 0u);
  EXPECT_EQ(count({.state = FlowState::kEstablished}), 1u);
  EXPECT_EQ(count({.state = FlowState::kTimeWait}), 0u);
  EXPECT_EQ(count({.age_min_ms = 2000}), 1u);
  EXPECT_EQ(count({.age_max_ms = 2000}), 1u);
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
  EXPECT_EQ(resting.answer().prior.ts_recent, 75u);
  EXPECT_FALSE(resting.answer().linux_takes);
  EXPECT_TRUE(resting.answer().adjust.any());
}

}  // namespace
}  // namespace sluice::test
