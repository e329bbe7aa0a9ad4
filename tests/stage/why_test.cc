// SPDX-License-Identifier: BSD-3-Clause
// What is remembered for `why`: handshakes that were refused, failed, were reset or healed, and
// nothing of those that went as they should.
#include "dataplane/worker/list_why.h"

#include "tests/stage/stage.h"
#include "tests/stage/udp_stage.h"

namespace sluice::test {
namespace {

template <class Base>
class Remembering : public Base {
 protected:
  using Base::core;

  std::vector<WhyRecord> list(const WhyFilter& filter = {}, size_t rows_max = 100) {
    ListWhy call(filter, rows_max);
    while (!call.step(*core)) {
    }
    more_ = call.more();
    return call.rows();
  }
  /// The only record.
  WhyRecord only_record() {
    const std::vector<WhyRecord> rows = list();
    EXPECT_EQ(rows.size(), 1u);
    return rows.empty() ? WhyRecord{} : rows.front();
  }

  bool more_ = false;
};

class Why : public Remembering<Stage> {};

TEST_F(Why, ARefusedSynWithItsPacket) {
  start({.backends = 0});
  from_client(inbound(kSyn, 1000, 0, option::timestamps(70, 0)));
  only(kClientLink);
  const WhyRecord record = only_record();
  EXPECT_EQ(record.outcome, WhyOutcome::kRefused);
  EXPECT_TRUE(record.is_drop);
  EXPECT_EQ(record.reason, net::DropReason::no_backend);
  EXPECT_EQ(record.client, client_);
  EXPECT_EQ(record.vip, kVip);
  ASSERT_TRUE(record.has_packet);
  EXPECT_TRUE(record.from_client);
  EXPECT_EQ(record.packet.sequence, 1000u) << "the SYN, not the RST that took its buffer";
  EXPECT_EQ(record.packet.flags, kSyn);
  EXPECT_EQ(record.packet.tsval, 70u);
  EXPECT_FALSE(record.has_flow);
  EXPECT_EQ(events(Event::why_noted), 1u);
}

TEST_F(Why, ASynThatTheBackendRefused) {
  start();
  open(1000);
  from_backend(outbound(kRstAck, 0, 1001));
  only(kClientLink);
  const WhyRecord record = only_record();
  EXPECT_EQ(record.outcome, WhyOutcome::kRefused);
  EXPECT_EQ(record.end, FlowEnd::refused);
  ASSERT_TRUE(record.has_packet && record.has_flow);
  EXPECT_FALSE(record.from_client);
  EXPECT_EQ(record.packet.source, backend_) << "as it came";
  EXPECT_EQ(record.packet.flags, kRstAck);
  EXPECT_EQ(record.flow.state, FlowState::kSynSent);
  EXPECT_EQ(record.flow.backend, backend_);
  EXPECT_EQ(record.sequence, 1000u);
}

TEST_F(Why, AHandshakeThatTheBackendNeverAnswered) {
  start();
  open(1000);
  pass(70'000, 100);
  sent.clear();
  const WhyRecord record = only_record();
  EXPECT_EQ(record.outcome, WhyOutcome::kFailed);
  EXPECT_EQ(record.end, FlowEnd::timed_out);
  EXPECT_FALSE(record.has_packet);
  EXPECT_EQ(record.flow.state, FlowState::kSynSent);
  EXPECT_GE(record.age_ms, 60'000u);
}

TEST_F(Why, ResetsOfHandshakesAndByBackends) {
  start();
  open(1000);
  from_backend(outbound(kSynAck, 5000, 1001));
  only(kClientLink);
  from_client(inbound(kRst, 1001));
  only(kBackendLink);
  EXPECT_EQ(only_record().end, FlowEnd::client_rst);
  next_client();
  establish(1000, 5000);
  from_client(inbound(kRst, 1001));  // a client's way to close
  only(kBackendLink);
  EXPECT_EQ(list().size(), 1u);
  next_client();
  establish(1000, 5000);
  from_backend(outbound(kRst, 5001));
  only(kClientLink);
  const WhyRecord record = list().front();
  EXPECT_EQ(record.end, FlowEnd::backend_rst);
  EXPECT_EQ(record.outcome, WhyOutcome::kReset);
  EXPECT_EQ(record.flow.state, FlowState::kEstablished);
}

TEST_F(Why, ASegmentWithoutAFlowIsAReset) {
  start();
  from_client(inbound(kAck, 1000, 1));
  only(kClientLink);
  EXPECT_EQ(only_record().reason, net::DropReason::no_flow_inbound);
  EXPECT_EQ(only_record().outcome, WhyOutcome::kReset);
}

TEST_F(Why, AHealedHandshakeTellsHowOften) {
  start();
  open(1000, option::timestamps(70, 0));
  from_backend(outbound(kAck, 777, 40'000, option::timestamps(3, 8'000)));
  ASSERT_EQ(sent.size(), 2u);
  const Sent syn = sent[1];
  sent.clear();
  EXPECT_TRUE(list().empty()) << "it is not over yet";
  from_backend(
      outbound(kSynAck, 5000, syn.sequence() + 1, option::timestamps(4, syn.numbers().tsval)));
  only(kClientLink);
  const WhyRecord record = only_record();
  EXPECT_EQ(record.outcome, WhyOutcome::kHealed);
  EXPECT_EQ(record.flow.heals, 1u);
  EXPECT_EQ(record.sequence, 1000u) << "as the client sent it";
  from_client(inbound(kAck, 1001, 5001, option::timestamps(71, 4)));
  only(kBackendLink);
}

TEST_F(Why, WhatGoesAsItShouldIsNoNews) {
  start();
  establish(1000, 5000);
  close_by_client(1001, 5001);
  next_client();
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  EXPECT_TRUE(list().empty());
}

TEST_F(Why, IsAskedByClientServiceAndTime) {
  start({.backends = 0});
  const auto refused = [this] {
    from_client(inbound(kSyn, 1000));
    only(kClientLink);
  };
  refused();
  client_.ip = ip4(10, 1, 7, 1);
  refused();
  pass(5000);
  refused();
  const auto count = [this](const WhyFilter& filter) { return list(filter).size(); };
  EXPECT_EQ(count({}), 3u);
  EXPECT_EQ(count({.client = {address_key(ip4(10, 1, 7, 0)), kMappedBits + 24}}), 2u);
  EXPECT_EQ(count({.client = {address_key(ip4(10, 1, 0, 1)), kMappedBits + 32}}), 1u);
  EXPECT_EQ(count({.client_port = net::be16::from_host(40'001)}), 0u);
  EXPECT_EQ(count({.vip = endpoint(ip4(10, 3, 0, 9), 80)}), 0u);
  EXPECT_EQ(count({.vip = kVip, .protocol = net::Protocol::kTcp}), 3u);
  EXPECT_EQ(count({.protocol = net::Protocol::kUdp}), 0u);
  EXPECT_EQ(count({.since_ms = core->wall_clock.at(core->now_ms) - 1000}), 1u);
  EXPECT_EQ(list({}, 2).size(), 2u);
  EXPECT_TRUE(more_);
}

class WhyUdp : public Remembering<UdpStage> {};

TEST_F(WhyUdp, AFlowWithoutAnAnswer) {
  start(udp());
  ask();
  pass(130'000, 100);
  const WhyRecord record = only_record();
  EXPECT_EQ(record.protocol, net::Protocol::kUdp);
  EXPECT_EQ(record.outcome, WhyOutcome::kFailed);
  EXPECT_EQ(record.flow.state, FlowState::kUdpUnanswered);
  next_client();
  establish_udp();
  pass(130'000, 100);
  EXPECT_EQ(list().size(), 1u) << "silence is how UDP ends";
}

TEST_F(WhyUdp, ARefusedDatagram) {
  start(udp({.backends = 0}));
  from_client(asked());
  sent.clear();  // ICMP
  const WhyRecord record = only_record();
  EXPECT_EQ(record.reason, net::DropReason::no_backend);
  EXPECT_EQ(record.protocol, net::Protocol::kUdp);
  EXPECT_EQ(record.packet.source, client_);
  EXPECT_EQ(record.packet.payload_bytes, 1u);
}

}  // namespace
}  // namespace sluice::test
