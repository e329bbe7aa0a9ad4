// SPDX-License-Identifier: BSD-3-Clause
// One local port, again and again, under each policy.
#include <random>

#include "dataplane/state/time_wait.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Reuse : public Stage {
 protected:
  // A connection whose last TSval is 5000 and last sequence 1002, closed by the backend.
  void leave_held() {
    establish(1000, 5000, option::timestamps(4999, 1));
    close_by_backend(1001, 5001, option::timestamps(5000, 1));
    next_client();
  }
  void expect_refused(uint32_t sequence, const Bytes& options) {
    from_client(inbound(kSyn, sequence, 0, options));
    const Sent answer = only(kClientLink);
    EXPECT_EQ(answer.flags(), kRstAck);
    EXPECT_EQ(drops(net::DropReason::ports_exhausted), ++refused_);
    EXPECT_EQ(pool().ports.counters().exhausted.value(), refused_);
  }
  uint64_t refused_ = 0;
};

constexpr PortRange kOnePort = {2000, 2000};

TEST_F(Reuse, NeverWaitsTimeWaitOut) {
  start({.reuse = ReusePolicy::kNever, .ports = kOnePort});
  leave_held();
  expect_refused(90'000, option::timestamps(9000, 0));  // newer in both, all the same
  pass(59'900);
  expect_refused(90'000, option::timestamps(9000, 0));
  pass(100);
  open(1, option::timestamps(1, 0));
  EXPECT_EQ(pool().ports.counters().reuse_rested.value(), 1u);
}

TEST_F(Reuse, NaturalLetsGoWhatTheBackendTakes) {
  start({.reuse = ReusePolicy::kNatural, .ports = kOnePort});
  leave_held();
  expect_refused(90'000, option::timestamps(4000, 0));  // PAWS
  expect_refused(500, {});
  const Sent syn = open(500, option::timestamps(6000, 0));
  EXPECT_EQ(syn.sequence(), 500u);
  EXPECT_EQ(syn.numbers().tsval, 6000u);
  EXPECT_EQ(pool().ports.counters().reuse_natural.value(), 1u);
}

TEST_F(Reuse, RebaseFitsWhatEveryStackWants) {
  struct Row {
    const char* name;
    uint32_t sequence;
    Bytes options;
    bool sequence_shifted, tsval_shifted;
  };
  const Row rows[] = {
      {"newer in both", 90'000, option::timestamps(9000, 0), false, false},
      {"PAWS", 90'000, option::timestamps(4000, 0), false, true},
      {"older sequence, newer TSval: FreeBSD", 500, option::timestamps(9000, 0), true, false},
      {"older in both", 500, option::timestamps(4000, 0), true, true},
      {"no timestamps, older", 500, {}, true, false},
      {"no timestamps, newer", 90'000, {}, false, false},
      {"half the circle away", 1002 + 0x80000000, option::timestamps(5000 + 0x80000000, 0), true,
       true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    client_ = kClient;
    start({.reuse = ReusePolicy::kRebase, .ports = kOnePort});
    leave_held();
    const Sent syn = open(row.sequence, row.options);
    EXPECT_EQ(syn.sequence() != row.sequence, row.sequence_shifted);
    EXPECT_TRUE(all_take({0, 1002, 5000, PriorIncarnation::Kind::kTimeWait, true}, syn.numbers()));
    const PortPool::Counters& counters = pool().ports.counters();
    EXPECT_EQ(counters.sequence_adjusts.value(), row.sequence_shifted ? 1u : 0u);
    EXPECT_EQ(counters.tsval_adjusts.value(), row.tsval_shifted ? 1u : 0u);
    EXPECT_EQ(counters.reuse_natural.value(), row.sequence_shifted || row.tsval_shifted ? 0u : 1u);
    TearDown();
  }
}

// A adjusted connection from beginning to end: each side sees its own numbers.
TEST_F(Reuse, AFittedConnectionLivesAndEnds) {
  start({.ports = kOnePort});
  leave_held();
  const Sent syn = open(500, option::timestamps(4000, 0));
  const uint32_t adjust = syn.sequence() - 500, clock = syn.numbers().tsval - 4000;
  from_client(inbound(kSyn, 500, 0, option::timestamps(4400, 0)));  // sent again
  const Sent again = only(kBackendLink);
  EXPECT_EQ(again.sequence(), syn.sequence());
  EXPECT_EQ(again.numbers().tsval, 4400 + clock);
  from_backend(outbound(kSynAck, 7000, 501 + adjust, option::timestamps(1, 4400 + clock)));
  const Sent syn_ack = only(kClientLink);
  EXPECT_EQ(syn_ack.acknowledgement(), 501u);
  EXPECT_EQ(syn_ack.tsecr(), 4400u);
  Tcp data = inbound(kAck, 501, 7001, option::timestamps(4500, 1));
  data.payload = Bytes(100, 'd');
  from_client(data);
  const Sent seen = only(kBackendLink);
  EXPECT_EQ(seen.sequence(), 501 + adjust);
  EXPECT_EQ(seen.numbers().tsval, 4500 + clock);
  EXPECT_EQ(seen.acknowledgement(), 7001u);
  from_backend(
      outbound(kAck, 7001, 501 + adjust,
               option::timestamps(2, 4500 + clock) + option::sack({551 + adjust, 601 + adjust})));
  const Sent ack = only(kClientLink);
  EXPECT_EQ(ack.acknowledgement(), 501u);
  EXPECT_EQ(ack.tsecr(), 4500u);
  EXPECT_EQ(get32(ack.frame, kTcpAt + 32), 551u);
  EXPECT_EQ(get32(ack.frame, kTcpAt + 36), 601u);
  close_by_backend(601, 7001, option::timestamps(4600, 2));
  const PriorIncarnation& left = pool().ports.prior(2000);
  EXPECT_EQ(left.rcv_nxt, 602 + adjust) << "as the backend saw it";
  EXPECT_EQ(left.ts_recent, 4600 + clock);
}

TEST_F(Reuse, AClientWithoutAndOneWithTimestampsOnOneTuple) {
  start({.ports = kOnePort});
  PriorIncarnation left{};
  std::mt19937 random(20);
  for (int turn = 0; turn < 200; ++turn, next_client()) {
    const bool timestamps = random() % 2 == 0;
    const auto isn = static_cast<uint32_t>(random()), tsval = static_cast<uint32_t>(random());
    const Bytes options = timestamps ? option::timestamps(tsval, 0) : Bytes{};
    from_client(inbound(kSyn, isn, 0, options));
    const Sent syn = only(kBackendLink);
    local_ = syn.from();
    if (turn > 0) {
      ASSERT_TRUE(all_take(left, syn.numbers())) << "turn " << turn;
    }
    const Bytes echo = timestamps ? option::timestamps(1, syn.numbers().tsval) : Bytes{};
    from_backend(outbound(kSynAck, 7000, syn.sequence() + 1, echo));
    ASSERT_EQ(only(kClientLink).acknowledgement(), isn + 1);
    from_client(inbound(kAck, isn + 1, 7001, options));
    only(kBackendLink);
    close_by_backend(isn + 1, 7001, options);
    left = pool().ports.prior(2000);
    ASSERT_EQ(left.rcv_nxt, syn.sequence() + 2);
    ASSERT_EQ(left.timestamps, timestamps);
    if (HasFailure()) return;
  }
}

TEST_F(Reuse, EveryLocalIsAskedForAnUnfittedPortFirst) {
  start({.ports = kOnePort, .locals = 2});
  leave_held();
  const net::Ipv4Endpoint first = local_;
  const Sent syn = open(500, option::timestamps(4000, 0));  // would need an adjustment there
  EXPECT_NE(syn.from().ip, first.ip);
  EXPECT_EQ(syn.sequence(), 500u);
}

TEST_F(Reuse, AnUnansweredSynKeepsTheLedger) {
  Scene scene{.reuse = ReusePolicy::kNatural, .ports = kOnePort};
  scene.timeouts_ms[0] = 2000;
  start(scene);
  leave_held();
  open(90'000, option::timestamps(6000, 0));
  pass(2100);
  sent.clear();  // the resets
  const PriorIncarnation& left = pool().ports.prior(2000);
  EXPECT_EQ(left.kind, PriorIncarnation::Kind::kTimeWait);
  EXPECT_EQ(left.rcv_nxt, 90'001u);
  EXPECT_EQ(left.ts_recent, 6000u);
  next_client();
  expect_refused(50'000, option::timestamps(5500, 0));
}

// What was over is translated until its port is wanted: then the newcomer alone has the tuple.
TEST_F(Reuse, LateSegmentsOfTheConnectionBefore) {
  start({.ports = kOnePort});
  leave_held();
  const net::Ipv4Endpoint old_client = kClient;
  open(90'000, option::timestamps(9000, 0));
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(core->flow_of_client(net::Protocol::kTcp, old_client, kVip), FlowTable::kNone);
  const net::Ipv4Endpoint now = client_;
  client_ = old_client;
  from_client(inbound(kAck, 1002, 5002));
  EXPECT_EQ(only(kClientLink).flags(), kRst);
  client_ = now;
}

}  // namespace
}  // namespace sluice::test
