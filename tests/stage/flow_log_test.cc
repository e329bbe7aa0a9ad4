// SPDX-License-Identifier: BSD-3-Clause
// Each way in which a flow can end, as the flow log is told of it; and that none is told twice.
#include "dataplane/stage/heal.h"
#include "dataplane/worker/worker_call.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class FlowLogging : public Stage {
 protected:
  void TearDown() override {
    Stage::TearDown();
    EXPECT_EQ(records(), std::vector<FlowEnd>{}) << "told of more than what the test saw";
  }
  void begin(const Scene& scene = {}, uint32_t sample = 1) {
    start(scene);
    core->flow_log = &ring_;
    snapshot->flow_log_sample = sample;
  }
  std::vector<FlowEnd> records() {
    std::vector<FlowEnd> ends;
    while (ring_.collect(&last_, 1) == 1) ends.push_back(last_.end);
    return ends;
  }
  void expect(FlowEnd end, FlowState state) {
    EXPECT_EQ(records(), std::vector{end});
    EXPECT_EQ(name_of(last_.state), name_of(state));
    EXPECT_EQ(last_.client, client_);
    EXPECT_EQ(last_.vip, kVip);
    EXPECT_EQ(last_.local, local_);
    EXPECT_EQ(last_.backend, backend_);
  }

  FlowLogRing ring_{"flow-log-test", SOCKET_ID_ANY};
  FlowRecord last_{};
};

TEST_F(FlowLogging, BytesAndTimes) {
  begin();
  pass(1500);
  establish(1000, 5000);
  Tcp data = inbound(kAck, 1001, 5001);
  data.payload = Bytes(100);
  from_client(data);
  only(kBackendLink);
  pass(2500);
  close_by_client(1101, 5001);
  expect(FlowEnd::client_fin, FlowState::kClientFirst);
  EXPECT_EQ(last_.start_ms, 1'700'000'001'500u);
  EXPECT_EQ(last_.end_ms, 1'700'000'004'000u);
  EXPECT_EQ(last_.bytes_in, 100u);
  EXPECT_EQ(last_.bytes_out, 0u);
  EXPECT_EQ(last_.reuse, PortReuse::kFresh);
  EXPECT_EQ(last_.syns, 1);
}

TEST_F(FlowLogging, TheBackendClosesFirst) {
  begin();
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  expect(FlowEnd::backend_fin, FlowState::kBackendFirst);
}

TEST_F(FlowLogging, ResetsOfEitherEnd) {
  begin();
  establish(1000, 5000);
  Tcp data = inbound(kAck, 1001, 5001);
  data.payload = Bytes(100);
  from_client(data);
  only(kBackendLink);
  from_client(inbound(kRst, 1101));
  only(kBackendLink);
  expect(FlowEnd::client_rst, FlowState::kEstablished);
  EXPECT_EQ(last_.bytes_in, 100u);  // there was no FIN to take off
  EXPECT_EQ(last_.bytes_out, 0u);
  next_client();
  establish(1000, 5000);
  from_backend(outbound(kRst, 5001));
  only(kClientLink);
  expect(FlowEnd::backend_rst, FlowState::kEstablished);
}

TEST_F(FlowLogging, ABackendThatRefuses) {
  begin();
  open(1000);
  from_backend(outbound(kRstAck, 0, 1001));
  only(kClientLink);
  expect(FlowEnd::refused, FlowState::kSynSent);
}

TEST_F(FlowLogging, AClientThatGivesUp) {
  begin();
  open(1000);
  from_client(inbound(kRst, 1001));
  only(kBackendLink);
  expect(FlowEnd::given_up, FlowState::kSynSent);
}

TEST_F(FlowLogging, SilenceWithAndWithoutAReset) {
  for (const bool reset : {true, false}) {
    Scene scene;
    scene.timeouts_ms.fill(5000);
    scene.reset_on_timeout = reset;
    begin(scene);
    establish(1000, 5000);
    pass(5100);
    sent.clear();
    expect(FlowEnd::timed_out, FlowState::kEstablished);
    core->flow_log = nullptr;
    Stage::TearDown();
  }
}

TEST_F(FlowLogging, AClientThatBeginsAnewInTheMiddle) {
  begin();
  open(1000);
  const net::Ipv4Endpoint old = local_;
  from_client(inbound(kSyn, 700'000));
  sent.clear();
  EXPECT_EQ(records(), std::vector{FlowEnd::replaced});
  EXPECT_EQ(last_.local, old);
  from_client(inbound(kRst, 700'001));
  sent.clear();
  EXPECT_EQ(records(), std::vector{FlowEnd::given_up});
}

TEST_F(FlowLogging, AnOperatorsReset) {
  begin();
  establish(1000, 5000);
  ResetFlows call(ResetFlows::Backends().set());
  while (!call.step(*core)) {
  }
  flush();
  sent.clear();
  expect(FlowEnd::reset_by_order, FlowState::kEstablished);
}

TEST_F(FlowLogging, AHealThatFails) {
  begin({.ports = {2000, 2000}});
  open(1000);
  for (uint32_t stale = 1; stale <= 5; ++stale) {
    from_backend(outbound(kAck, 777, stale * 100'000'000));
    pass(300);  // beyond the moment in which it may be the same, or late
    sent.clear();
  }
  expect(FlowEnd::heal_exhausted, FlowState::kSynSent);
  EXPECT_EQ(last_.heals, kHealAttemptsMax);
  EXPECT_TRUE(last_.adjust.any());
}

TEST_F(FlowLogging, HowThePortWasGot) {
  begin({.ports = {2000, 2000}});
  establish(1000, 5000, option::timestamps(100, 0));
  close_by_backend(1001, 5001, option::timestamps(101, 1));
  expect(FlowEnd::backend_fin, FlowState::kBackendFirst);
  next_client();
  establish(900, 5000, option::timestamps(50, 0));
  from_client(inbound(kRst, 901));
  only(kBackendLink);
  expect(FlowEnd::client_rst, FlowState::kEstablished);
  EXPECT_EQ(last_.reuse, PortReuse::kRebased);
  EXPECT_NE(last_.adjust.timestamp, 0u);
}

TEST_F(FlowLogging, OneInSoMany) {
  begin({}, 3);
  for (int i = 0; i < 7; ++i) {
    open(1000);
    from_client(inbound(kRst, 1001));
    only(kBackendLink);
    next_client();
  }
  EXPECT_EQ(records().size(), 2u);
  EXPECT_EQ(events(Event::flows_logged), 2u);
}

TEST_F(FlowLogging, WhatAFullRingDoesNotTakeIsCounted) {
  begin();
  for (FlowRecord filler{}; ring_.give(filler);) {
  }
  open(1000);
  from_client(inbound(kRst, 1001));
  only(kBackendLink);
  EXPECT_EQ(events(Event::flow_log_dropped), 1u);
  EXPECT_EQ(records().size(), FlowLogRing::kRecordsMax);
}

TEST_F(FlowLogging, ARefusedSynIsToldOfAndAFloodOfThemIsBounded) {
  begin({.ports = {2000, 2000}});
  establish(1000, 5000);
  const net::Ipv4Endpoint first = client_;
  for (int i = 0; i < 1000; ++i) {
    next_client();
    from_client(inbound(kSyn, 1000));
    sent.clear();
  }
  const auto told = [&] {
    uint64_t count = 0;
    while (ring_.collect(&last_, 1) == 1) count += last_.is_refusal ? 1 : 0;
    return count;
  };
  EXPECT_EQ(told(), FlowLogRing::kRefusalsPerSecond);
  EXPECT_EQ(last_.vip, kVip);
  EXPECT_EQ(last_.refusal, net::DropReason::ports_exhausted);
  EXPECT_EQ(events(Event::refusals_logged), FlowLogRing::kRefusalsPerSecond);
  EXPECT_EQ(events(Event::refusals_not_logged), 1000u - FlowLogRing::kRefusalsPerSecond);
  pass(1000);
  next_client();
  from_client(inbound(kSyn, 1000));
  sent.clear();
  EXPECT_EQ(told(), 1u);
  EXPECT_EQ(last_.client, client_);
  client_ = first;
  from_client(inbound(kRst, 1001));
  only(kBackendLink);
  EXPECT_EQ(records(), std::vector{FlowEnd::client_rst});
}

TEST_F(FlowLogging, NothingWhileNobodyAsks) {
  begin({}, 0);
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  EXPECT_TRUE(records().empty());
}

}  // namespace
}  // namespace sluice::test
