// SPDX-License-Identifier: BSD-3-Clause
// A SYN on an open flow that is not its own: of a client that has lost the connection, or of a
// stranger. The backend decides.
#include "dataplane/stage/passed_syn.h"

#include <cstring>
#include <memory>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class OtherSyn : public Stage {
 protected:
  /// To the backend as it came but for addresses; and nothing of the flow moves.
  Sent passes(uint32_t sequence, const Bytes& options = {}) {
    const Flow before = core->flows[flow()];
    from_client(inbound(kSyn, sequence, 0, options));
    const Sent syn = only(kBackendLink);
    EXPECT_EQ(syn.flags(), kSyn);
    EXPECT_EQ(syn.from(), local_);
    EXPECT_EQ(syn.to(), backend_);
    const Flow& after = core->flows[flow()];
    EXPECT_EQ(std::memcmp(&before.tcp, &after.tcp, sizeof after.tcp), 0);
    EXPECT_EQ(std::memcmp(&before.bounds, &after.bounds, sizeof after.bounds), 0);
    EXPECT_EQ(before.last_seen_ms, after.last_seen_ms);
    EXPECT_EQ(before.ts_recent, after.ts_recent);
    return syn;
  }
  /// The backend takes the SYN, and the connection runs.
  void connects(uint32_t sequence, const Sent& syn, const Bytes& options = {}) {
    const SynNumbers sent_as = syn.numbers();
    const Bytes echo = sent_as.timestamps ? option::timestamps(9, sent_as.tsval) : Bytes{};
    from_backend(outbound(kSynAck, 700'000, syn.sequence() + 1, echo));
    const Sent answer = only(kClientLink);
    EXPECT_EQ(answer.flags(), kSynAck);
    EXPECT_EQ(answer.acknowledgement(), sequence + 1);
    EXPECT_EQ(name_of(state()), "syn_received");
    from_client(inbound(kAck, sequence + 1, 700'001, options));
    const Sent ack = only(kBackendLink);
    EXPECT_EQ(ack.sequence(), syn.sequence() + 1);
    EXPECT_EQ(ack.acknowledgement(), 700'001u);
    EXPECT_EQ(name_of(state()), "established");
    from_backend(outbound(kAck, 700'001, syn.sequence() + 1, echo));
    only(kClientLink);
  }
  /// The first backend takes no new flows any more.
  void retire(const Scene& scene) {
    auto next = make_snapshot(scene);
    next->network_generation = snapshot->network_generation;
    next->services[0].backends[0].weight = 0;
    next->services[0].wrr_order = {1};
    adopt(std::move(next));
    sent.clear();
  }
  void expect_elsewhere(uint32_t reset_at) {
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].to(), backend_);
    EXPECT_EQ(sent[0].flags(), kRst);
    EXPECT_EQ(sent[0].sequence(), reset_at);
    EXPECT_NE(sent[1].to(), backend_);
    EXPECT_EQ(sent[1].flags(), kSyn);
    sent.clear();
  }
};

TEST_F(OtherSyn, OfAConnectionThatBothEndsHaveForgottenConnectsWhereItWas) {
  start();
  establish(1000, 5000);
  pass(10'000);
  const Sent syn = passes(9'000'000);
  EXPECT_EQ(syn.sequence(), 9'000'000u);
  connects(9'000'000, syn);
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(pool().ports.counters().taken.value(), 1u);
  EXPECT_EQ(events(Event::flows_restarted), 1u);
  EXPECT_EQ(events(Event::syns_passed), 1u);
  EXPECT_EQ(events(Event::flows_opened), 2u);
  EXPECT_EQ(events(Event::flows_established), 2u);
  EXPECT_EQ(drops(net::DropReason::stale_answer), 0u);
  close_by_backend(9'000'001, 700'001);
  EXPECT_EQ(pool().ports.prior(local_.port.host()).rcv_nxt, 9'000'002u);
}

TEST_F(OtherSyn, TheBackendsOrphanedFinWasNeverAnswered) {
  start();
  establish(1000, 5000);
  from_backend(outbound(kFin, 5001, 1001));
  only(kClientLink);
  EXPECT_EQ(name_of(state()), "backend_closed");
  pass(70'000);
  connects(50, passes(50));
}

TEST_F(OtherSyn, ClientsThatHadClosedComeAgain) {
  start();
  establish(1000, 5000);
  from_client(inbound(kFin, 1001, 5001));
  only(kBackendLink);
  pass(70'000);
  connects(0xfffffff0, passes(0xfffffff0));
}

TEST_F(OtherSyn, OnAFittedFlowItIsFittedAsTheFlowIs) {
  start({.ports = {2000, 2000}});
  establish(0x70000000, 5000, option::timestamps(0x70000000, 1));
  close_by_backend(0x70000001, 5001, option::timestamps(0x70000001, 1));
  next_client();
  establish(1000, 6000, option::timestamps(70, 0));
  const net::SeqAdjust adjust = core->flows[flow()].adjust;
  ASSERT_NE(adjust.sequence, 0u);
  ASSERT_NE(adjust.timestamp, 0u);
  const Sent syn = passes(40'000'000, option::timestamps(500, 0));
  EXPECT_EQ(syn.sequence(), 40'000'000 + adjust.sequence);
  EXPECT_EQ(syn.numbers().tsval, 500 + adjust.timestamp);
  connects(40'000'000, syn, option::timestamps(501, 9));
  from_backend(
      outbound(kAck, 700'001, syn.sequence() + 1, option::timestamps(10, 501 + adjust.timestamp)));
  EXPECT_EQ(only(kClientLink).tsecr(), 501u);
}

TEST_F(OtherSyn, OnTheBalancersClock) {
  Scene scene;
  scene.rewrite_timestamps = true;
  start(scene);
  establish(1000, 5000, option::timestamps(0x10000000, 0));
  pass(5000);
  from_client(inbound(kAck, 1001, 5001, option::timestamps(0x10001388, 0)));
  const uint32_t before = only(kBackendLink).numbers().tsval;
  pass(3000);
  // Another clock altogether.
  const Sent syn = passes(90'000, option::timestamps(7, 0));
  EXPECT_EQ(syn.numbers().tsval - before, 3000u);
  // The old connection's line still stands.
  from_backend(outbound(kAck, 5001, 1001, option::timestamps(3, before)));
  EXPECT_EQ(only(kClientLink).tsecr(), 0x10001388u);
  pass(20);
  from_backend(outbound(kSynAck, 700'000, 90'001, option::timestamps(9, syn.numbers().tsval)));
  EXPECT_EQ(only(kClientLink).tsecr(), 7u);
  pass(80);
  from_client(inbound(kAck, 90'001, 700'001, option::timestamps(107, 9)));
  EXPECT_EQ(only(kBackendLink).numbers().tsval - syn.numbers().tsval, 100u);
}

TEST_F(OtherSyn, WithoutTimestampsWhereTheFlowHadThem) {
  start();
  establish(1000, 5000, option::timestamps(70, 0));
  connects(90'000, passes(90'000));
  EXPECT_FALSE(core->flows[flow()].timestamps);
}

TEST_F(OtherSyn, WhatDoesNotAcknowledgeItExactlyBeginsNothing) {
  start();
  establish(1000, 5000);
  passes(90'000);
  for (const uint32_t wrong : {90'000u, 90'002u, 1'090'001u}) {
    EXPECT_DROP(stale_answer, from_backend(outbound(kSynAck, 700'000, wrong)));
  }
  Bytes broken = tcp_frame(outbound(kSynAck, 700'000, 90'001));
  broken[kTcpAt + 16] ^= 1;
  EXPECT_DROP(tcp_checksum_bad, burst(kBackendLink, {broken}));
  EXPECT_EQ(name_of(state()), "established");
  expect_nothing();
}

TEST_F(OtherSyn, ALateCopyOfTheFlowsOwnIsNotRemembered) {
  start();
  establish(1000, 5000);
  passes(1000);
  // The backend has lost the client's ACK and sends its SYN-ACK once more.
  from_backend(outbound(kSynAck, 5000, 1001));
  EXPECT_EQ(only(kClientLink).flags(), kSynAck);
  EXPECT_EQ(name_of(state()), "established");
  EXPECT_EQ(events(Event::flows_restarted), 0u);
}

TEST_F(OtherSyn, TheRefusalOfItReachesTheClientAndEndsTheFlow) {
  start();
  establish(1000, 5000);
  passes(90'000);
  from_backend(outbound(kRstAck, 0, 90'001));
  const Sent refusal = only(kClientLink);
  EXPECT_EQ(refusal.flags(), kRstAck);
  EXPECT_EQ(refusal.acknowledgement(), 90'001u);
  EXPECT_EQ(name_of(state()), "closed");
  EXPECT_EQ(backend().refused.value(), 1u);
  open(90'000);
}

TEST_F(OtherSyn, AfterAChallengeTheClientsResetClearsTheWay) {
  start();
  establish(1000, 5000);
  passes(90'000);
  from_backend(outbound(kAck, 5001, 1001));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 1001u);
  from_client(inbound(kRst, 1001));
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
  EXPECT_EQ(name_of(state()), "closed");
  from_client(inbound(kSyn, 90'000));
  const Sent syn = only(kBackendLink);
  EXPECT_EQ(syn.flags(), kSyn);
  EXPECT_NE(syn.from(), local_);
}

TEST_F(OtherSyn, OfAStrangerKeepsNoFlowAlive) {
  Scene scene;
  scene.timeouts_ms.fill(10'000);
  start(scene);
  establish(1000, 5000);
  for (uint32_t i = 0; i < 9; ++i) {
    pass(1000);
    for (int copy = 0; copy < 2; ++copy) {
      passes(90'000 + i);
      from_backend(outbound(kAck, 5001, 1001));  // the challenge
      EXPECT_EQ(only(kClientLink).flags(), kAck);
    }
  }
  pass(1100);
  EXPECT_EQ(core->flows.flow_count(), 0u) << "idle, whatever strangers say";
  sent.clear();
}

TEST_F(OtherSyn, OfAStrangerDisturbsNoTransfer) {
  start();
  establish(1000, 5000);
  passes(90'000);
  Tcp data = outbound(kAck, 5001, 1001);
  data.payload = Bytes(100);
  from_backend(data);
  only(kClientLink);
  EXPECT_FALSE(core->flows[flow()].adjusted)
      << "the backend has the connection: back to the short path";
  from_client(inbound(kAck, 1001, 5101));
  only(kBackendLink);
  EXPECT_EQ(core->flows[flow()].bytes_out(), 100u);
}

TEST_F(OtherSyn, ToASilentRetiredBackendGoesElsewhere) {
  const Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);
  retire(scene);
  passes(90'000);
  pass(500);
  passes(90'000);  // a copy
  pass(500);
  from_client(inbound(kSyn, 90'000));
  expect_elsewhere(1001);
  EXPECT_EQ(core->flows.flow_count(), 1u);
}

TEST_F(OtherSyn, ToASilentRemovedBackendGoesElsewhereWhateverItsNumber) {
  const Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);
  auto next = make_snapshot(scene);
  next->services[0].backends.erase(next->services[0].backends.begin());
  next->services[0].wrr_order = {0};
  adopt(std::move(next));
  sent.clear();
  passes(90'000);
  pass(1000);
  from_client(inbound(kSyn, 91'000));
  expect_elsewhere(1001);
}

TEST_F(OtherSyn, ARetiredBackendThatAnswersKeepsItsFlow) {
  const Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);
  retire(scene);
  for (int i = 0; i < 5; ++i) {
    // A stranger's: answered once, then again while stacks answer none (Linux: two a second).
    passes(90'000);
    from_backend(outbound(kAck, 5001, 1001));
    only(kClientLink);
    pass(100);
    passes(90'000);
    pass(1000);
  }
  EXPECT_EQ(name_of(state()), "established");
  from_backend(outbound(kAck, 5001, 1001));
  only(kClientLink);
}

TEST_F(OtherSyn, ABackendInServiceIsAskedAgain) {
  start({.backends = 2});
  establish(1000, 5000);
  for (int i = 0; i < 4; ++i) {
    passes(90'000);
    pass(1000);
  }
  connects(90'000, passes(90'000));
}

TEST_F(OtherSyn, WhileTheBalancerDrainsThereIsNoElsewhere) {
  const Scene scene{.backends = 2};
  start(scene);
  establish(1000, 5000);
  auto next = make_snapshot(scene);
  next->draining = true;
  next->services[0].backends[0].weight = 0;
  next->services[0].wrr_order = {1};
  adopt(std::move(next));
  sent.clear();
  passes(90'000);
  pass(1000);
  passes(90'000);
}

TEST_F(OtherSyn, AnsweredOnceAndThenTheBackendDied) {
  const Scene scene{.backends = 2};
  start(scene);
  open(1000);
  from_backend(outbound(kSynAck, 5000, 1001));  // lost on the way to the client
  only(kClientLink);
  retire(scene);
  pass(1000);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).to(), backend_) << "it answered before";
  pass(2000);
  from_client(inbound(kSyn, 1000));
  expect_elsewhere(1001);
}

}  // namespace
}  // namespace sluice::test
