// SPDX-License-Identifier: BSD-3-Clause
// What a trace says of packets; and that those of others, and all after its end, are not in it.
#include "dataplane/worker/set_trace.h"

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Tracing : public Stage {
 protected:
  void TearDown() override {
    SetTrace(nullptr).step(*core);
    Stage::TearDown();
  }
  void begin(const Scene& scene = {}, uint32_t count_max = 16) {
    start(scene);
    arm({client_, {}}, count_max);
  }
  void arm(const TraceFilter& filter, uint32_t count_max = 16, uint64_t duration_ms = 1'000'000) {
    trace_ = std::make_unique<Trace>(filter, count_max, duration_ms);
    SetTrace(trace_.get()).step(*core);
  }
  /// The one that was not looked at yet.
  const TraceRecord& next() {
    EXPECT_GT(trace_->count(), seen_);
    return (*trace_)[seen_++];
  }
  void expect_no_more() { EXPECT_EQ(trace_->count(), seen_); }

  std::unique_ptr<Trace> trace_;
  uint32_t seen_ = 0;
};

bool has(const TraceRecord& record, Event event) {
  return record.events.test(static_cast<size_t>(event));
}

TEST_F(Tracing, AHandshakeBothWays) {
  begin();
  establish(1000, 5000);  // from here on ARP knows the client
  next_client();
  arm({client_, {}});
  const Sent syn = open(1000, option::timestamps(100, 0));
  const TraceRecord& first = next();
  EXPECT_TRUE(first.from_client);
  EXPECT_EQ(first.interface, kClientLink);
  EXPECT_EQ(first.in.source, client_);
  EXPECT_EQ(first.in.destination, kVip);
  EXPECT_EQ(first.in.flags, kSyn);
  EXPECT_EQ(first.in.sequence, 1000u);
  EXPECT_EQ(first.in.tsval, 100u);
  EXPECT_FALSE(first.before);
  ASSERT_TRUE(first.after && first.out);
  EXPECT_EQ(first.after->state, FlowState::kSynSent);
  EXPECT_EQ(first.after->local, local_);
  EXPECT_EQ(first.after->backend, backend_);
  EXPECT_EQ(first.after->reuse, PortReuse::kFresh);
  EXPECT_EQ(first.out->source, syn.from());
  EXPECT_EQ(first.out->destination, syn.to());
  EXPECT_EQ(first.out->sequence, syn.sequence());
  EXPECT_EQ(first.out->ttl, first.in.ttl - 1);
  EXPECT_EQ(first.verdict, net::Fate::kSent);
  EXPECT_TRUE(has(first, Event::flows_opened));

  from_backend(outbound(kSynAck, 5000, 1001, option::timestamps(1, 100)));
  only(kClientLink);
  const TraceRecord& second = next();
  EXPECT_FALSE(second.from_client);
  EXPECT_EQ(second.in.source, backend_);
  ASSERT_TRUE(second.before && second.after && second.out);
  EXPECT_EQ(second.before->state, FlowState::kSynSent);
  EXPECT_EQ(second.after->state, FlowState::kSynReceived);
  EXPECT_EQ(second.out->source, kVip);
  EXPECT_EQ(second.out->destination, client_);
  EXPECT_EQ(second.out->tsecr, 100u);
  expect_no_more();
}

TEST_F(Tracing, AFixIsSeenInWhatWasSent) {
  begin({.ports = {2000, 2000}});
  establish(1000, 5000, option::timestamps(100, 0));
  close_by_backend(1001, 5001, option::timestamps(101, 1));
  next_client();
  arm({client_, {}});
  open(900, option::timestamps(50, 0));
  const TraceRecord& syn = next();
  ASSERT_TRUE(syn.after && syn.out);
  EXPECT_EQ(syn.after->reuse, PortReuse::kRebased);
  EXPECT_EQ(syn.out->tsval, 50 + syn.after->adjust.timestamp);
  EXPECT_NE(syn.out->tsval, 50u);
}

TEST_F(Tracing, WhyASynWasRefused) {
  begin({.backends = 0});
  from_client(inbound(kSyn, 1000));
  only(kClientLink);
  const TraceRecord& syn = next();
  EXPECT_EQ(syn.verdict, net::DropReason::no_backend);
  EXPECT_TRUE(has(syn, Event::resets_to_clients));
  EXPECT_FALSE(syn.out);
  EXPECT_FALSE(syn.after);
}

TEST_F(Tracing, WhereThereIsNoService) {
  begin();
  Tcp syn = inbound(kSyn, 1000);
  syn.to.port = net::be16::from_host(81);
  from_client(syn);
  only(kClientLink);
  EXPECT_EQ(next().verdict, net::DropReason::no_service);
}

/// The backend is unknown to ARP yet: the SYN is neither sent nor lost.
TEST_F(Tracing, APacketThatWaitsForItsNextHop) {
  answer_arp = false;
  begin();
  from_client(inbound(kSyn, 1000));
  sent.clear();
  const TraceRecord& syn = next();
  EXPECT_EQ(syn.verdict, net::Fate::kWaiting);
  EXPECT_FALSE(syn.out);
  ASSERT_TRUE(syn.after);
  EXPECT_EQ(syn.after->state, FlowState::kSynSent);
}

TEST_F(Tracing, AHeal) {
  begin();
  open(1000);
  next();
  from_backend(outbound(kAck, 777, 500'000'000));
  sent.clear();
  const TraceRecord& stale = next();
  EXPECT_EQ(stale.verdict, net::DropReason::stale_answer);
  EXPECT_TRUE(has(stale, Event::heals_started));
  ASSERT_TRUE(stale.after);
  EXPECT_EQ(stale.after->heals, 1);
}

TEST_F(Tracing, NobodyElsesPackets) {
  begin();
  next_client();
  establish(1000, 5000);
  expect_no_more();
  net::Ipv4Endpoint any_port = client_;
  any_port.port = {};
  arm({any_port, {}});
  open(2000);
  EXPECT_EQ(next().in.source, client_);
  net::Ipv4Endpoint other_vip = kVip;
  other_vip.port = net::be16::from_host(443);
  arm({any_port, other_vip});
  seen_ = 0;
  next_client();
  open(3000);
  expect_no_more();
}

// A VIP may be a TCP and a UDP service's.
TEST_F(Tracing, NoOtherProtocolsPackets) {
  begin();
  arm({client_, kVip, net::Protocol::kUdp});
  open(1000);
  expect_no_more();
  next_client();
  arm({client_, kVip, net::Protocol::kTcp});
  open(2000);
  EXPECT_EQ(next().protocol, net::Protocol::kTcp);
}

TEST_F(Tracing, EndsWhenItIsFullAndWhenItsTimeIsOver) {
  begin({}, 2);
  establish(1000, 5000);
  EXPECT_EQ(trace_->count(), 2u);
  seen_ = 0;
  arm({client_, {}}, 16, 100);
  pass(50);
  from_client(inbound(kAck, 1001, 5001));
  sent.clear();
  EXPECT_EQ(trace_->count(), 1u);
  pass(60);
  from_client(inbound(kAck, 1001, 5001));
  sent.clear();
  EXPECT_EQ(trace_->count(), 1u);
}

/// A whole burst of one client's packets: what was queued before leaves in order.
TEST_F(Tracing, ABurstKeepsItsOrder) {
  begin();
  establish(1000, 5000);
  arm({client_, {}}, 64);
  std::vector<Bytes> frames;
  for (uint32_t i = 0; i < 40; ++i) {
    Tcp data = inbound(kAck, 1001 + i, 5001);
    data.payload = Bytes(1);
    frames.push_back(tcp_frame(data));
  }
  burst(kClientLink, frames);
  ASSERT_EQ(sent.size(), 40u);
  for (uint32_t i = 0; i < 40; ++i) EXPECT_EQ(sent[i].sequence(), 1001 + i);
  EXPECT_EQ(trace_->count(), 40u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
