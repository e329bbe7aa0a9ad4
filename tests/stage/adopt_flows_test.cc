// SPDX-License-Identifier: BSD-3-Clause
// What the next process makes of what this one has left.
#include "dataplane/stage/adopt_flows.h"

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr Scene kKeeping = {.keeps = true};

class Adoption : public Stage {
 protected:
  PriorIncarnation prior() { return pool().ports.prior(local_.port.host()); }
  PortPool::Place place() { return pool().ports.find(local_.port.host())->place; }
};

TEST_F(Adoption, AnEstablishedFlowGoesOn) {
  start(kKeeping);
  establish(1000, 5000, option::timestamps(70, 1));
  start_again(kKeeping);
  EXPECT_EQ(events(Event::flows_adopted), 1u);
  EXPECT_EQ(state(), FlowState::kEstablished);
  EXPECT_EQ(backend().active.value(), 1u);
  EXPECT_EQ(pool().ports.counters().in_use.value(), 1u);
  from_client(inbound(kAck, 1001, 5001, option::timestamps(71, 1)));
  const Sent in = only(kBackendLink);
  EXPECT_EQ(in.from(), local_);
  EXPECT_EQ(in.sequence(), 1001u);
  from_backend(outbound(kAck, 5001, 1001));
  EXPECT_EQ(only(kClientLink).to(), client_);
  close_by_backend(1001, 5001, option::timestamps(75, 1));
  EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kTimeWait);
}

TEST_F(Adoption, AHandshakeWithAnAnswerGoesOn) {
  start(kKeeping);
  open(1000);
  from_backend(outbound(kSynAck, 5000, 1001));
  only(kClientLink);
  start_again(kKeeping);
  EXPECT_EQ(state(), FlowState::kSynReceived);
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).from(), local_);
  EXPECT_EQ(state(), FlowState::kEstablished);
  EXPECT_EQ(core->half_open.count(), 0u);
}

TEST_F(Adoption, AHandshakeWithoutAnAnswerGoesOn) {
  start(kKeeping);
  open(1000);
  start_again(kKeeping);
  EXPECT_EQ(state(), FlowState::kSynSent);
  pass(1000);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).from(), local_) << "the same tuple";
  from_backend(outbound(kSynAck, 5000, 1001));
  EXPECT_EQ(only(kClientLink).to(), client_);
  EXPECT_EQ(state(), FlowState::kSynReceived);
}

TEST_F(Adoption, AStaleAnswerToASynThatIsNotKeptIsHealedByTheNext) {
  start(kKeeping);
  open(1000);
  start_again(kKeeping);
  from_backend(outbound(kAck, 9000, 77));
  expect_nothing();
  pass(40);  // the SYN-ACK might follow
  const Sent reset = only(kBackendLink);
  EXPECT_NE(reset.flags() & kRst, 0);
  EXPECT_EQ(reset.sequence(), 77u);
  pass(1000);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).from(), local_);
}

TEST_F(Adoption, WhatATupleLeftAtItsBackendIsKnown) {
  start(kKeeping);
  establish(1000, 5000, option::timestamps(70, 1));
  close_by_backend(1001, 5001, option::timestamps(75, 1));
  const PriorIncarnation left = prior();
  pass(12'000);  // its entry is gone
  constexpr uint32_t kShift = 5'000'000;
  start_again(kKeeping, kShift);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kTimeWait);
  EXPECT_EQ(prior().rcv_nxt, left.rcv_nxt);
  EXPECT_EQ(prior().ts_recent, left.ts_recent);
  EXPECT_EQ(prior().closed_ms, left.closed_ms + kShift) << "by our own clock";
  EXPECT_EQ(place(), PortPool::Place::kTimeWait);
  EXPECT_EQ(pool().ports.counters().available.value() + 1, pool().ports.set().size());
}

TEST_F(Adoption, AFlowThatIsOverTranslatesLateSegments) {
  start(kKeeping);
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  start_again(kKeeping);
  EXPECT_EQ(state(), FlowState::kTimeWait);
  from_backend(outbound(kFin, 5001, 1002));
  EXPECT_EQ(only(kClientLink).to(), client_);
  EXPECT_EQ(events(Event::resets_to_backends), 0u);
}

class AdoptionOfHeaders : public Adoption {
 protected:
  static Scene told() {
    Scene scene = kKeeping;
    scene.proxy = ProxyForm{net::ProxyVersion::kV2, {}};
    return scene;
  }
  /// Up to a PROXY header, whose length is returned.
  uint32_t send_header() {
    start(told());
    open(1000);
    from_backend(outbound(kSynAck, 5000, 1001));
    only(kClientLink);
    from_client(inbound(kAck, 1001, 5001));
    EXPECT_EQ(sent.size(), 2u);
    sent.clear();
    return core->flows[flow()].adjust.sequence;
  }
};

TEST_F(AdoptionOfHeaders, AFlowGoesOnWhoseBackendHasIt) {
  const uint32_t header = send_header();
  from_backend(outbound(kAck, 5001, 1001 + header));
  only(kClientLink);
  start_again(told());
  EXPECT_EQ(events(Event::flows_adopted), 1u);
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).sequence(), 1001 + header);
  from_backend(outbound(kFin, 5001, 1001 + header));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 1001u);
}

TEST_F(AdoptionOfHeaders, AHeaderOnItsWayIsSentAgain) {
  const uint32_t header = send_header();
  start_again(told());
  EXPECT_EQ(events(Event::flows_adopted), 1u);
  sent.clear();
  pass(ProxyTrack::kRetryMs + 10);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(only(kBackendLink).sequence(), 1001u);
  from_backend(outbound(kAck, 5001, 1001 + header));
  only(kClientLink);
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).sequence(), 1001 + header);
}

TEST_F(AdoptionOfHeaders, NobodySendsTheRestOfOne) {
  const uint32_t header = send_header();
  from_backend(outbound(kAck, 5001, 1001 + header / 2));
  start_again(told());
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(AdoptionOfHeaders, NorAnotherOne) {
  send_header();
  Scene other = told();
  other.proxy = ProxyForm{net::ProxyVersion::kV2, "another"};
  start_again(other);
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Adoption, WhatIsNotWholeIsNoFlow) {
  start(kKeeping);
  establish(1000, 5000);
  core->flows.retract(flow());
  start_again(kKeeping);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  EXPECT_EQ(prior().closed_ms, core->now32()) << "who knows what its port has seen";
}

TEST_F(Adoption, OfTwoWithOnePortOneIsTaken) {
  start(kKeeping);
  establish(1000, 5000);
  const Flow first = core->flows[flow()];
  next_client();
  establish(1000, 5000);
  Flow& second = core->flows[flow()];
  second.local_port = first.local_port;
  start_again(kKeeping);
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(pool().ports.counters().in_use.value(), 1u);
}

TEST_F(Adoption, ASmallerTableTakesWhatItHasRoomFor) {
  start(kKeeping);
  for (int i = 0; i < 8; ++i) {
    establish(1000, 5000);
    next_client();
  }
  Scene smaller = kKeeping;
  smaller.limits.flow_count_max = 4;
  start_again(smaller);
  EXPECT_EQ(core->flows.flow_count(), 4u);
  uint32_t told = 0;
  for (size_t i = 0; i < sources[0].flows.size(); ++i) {
    if (sources[0].flows[i].live) told += reset_kept(*core, sources[0], i);
  }
  flush();
  EXPECT_EQ(told, 4u);
  EXPECT_EQ(events(Event::flows_not_adopted), 4u);
  EXPECT_EQ(events(Event::resets_to_clients), 4u);
  EXPECT_EQ(events(Event::resets_to_backends), 4u);
  sent.clear();
}

TEST_F(Adoption, WhatFitsNowhereIsResetAtBothEnds) {
  start(kKeeping);
  establish(1000, 5000);
  from_client(inbound(kAck, 1101, 5001));  // a hundred bytes of which nobody knows more
  sent.clear();
  Scene other = kKeeping;
  other.ports = {3000, 3015};
  start_again(other);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  for (size_t i = 0; i < sources[0].flows.size(); ++i) reset_kept(*core, sources[0], i);
  flush();
  ASSERT_EQ(sent.size(), 2u);
  for (const Sent& s : sent) {
    EXPECT_NE(s.flags() & kRst, 0);
    EXPECT_EQ(s.to(), s.port == kClientLink ? client_ : backend_);
    EXPECT_EQ(s.sequence(), s.port == kClientLink ? 5001u : 1101u);
  }
  sent.clear();
}

TEST_F(Adoption, AnAdjustedFlowKeepsItsNumbers) {
  Scene scene = kKeeping;
  scene.ports = {2000, 2000};
  start(scene);
  establish(0xf0000000, 5000, option::timestamps(70, 1));
  close_by_backend(0xf0000001, 5001, option::timestamps(75, 1));
  next_client();
  const Sent syn = open(1000, option::timestamps(30, 0));
  const uint32_t sequence = syn.sequence();
  const uint32_t ahead = syn.numbers().tsval - 30;
  ASSERT_NE(ahead, 0u);
  from_backend(outbound(kSynAck, 9000, sequence + 1, option::timestamps(1, syn.numbers().tsval)));
  only(kClientLink);
  from_client(inbound(kAck, 1001, 9001, option::timestamps(31, 1)));
  only(kBackendLink);
  start_again(scene);
  from_client(inbound(kAck, 1001, 9001, option::timestamps(32, 1)));
  const Sent sent = only(kBackendLink);
  EXPECT_EQ(sent.sequence(), sequence + 1);
  EXPECT_EQ(sent.numbers().tsval, 32 + ahead);
}

}  // namespace
}  // namespace sluice::test
