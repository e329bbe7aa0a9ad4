// SPDX-License-Identifier: BSD-3-Clause
// SYNs that cannot be served: named, counted, and answered as the service wants it.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Refusal : public Stage {
 protected:
  /// A SYN that is refused for `reason`, with a RST or in silence.
  void expect_refused(net::DropReason reason, OnRefusal how) {
    const uint64_t dropped = drops(reason), refused = service().refused.value();
    from_client(inbound(kSyn, 1000));
    EXPECT_EQ(drops(reason), dropped + 1);
    EXPECT_EQ(service().refused.value(), refused + 1);
    if (how == OnRefusal::kDrop) return expect_nothing();
    const Sent answer = only(kClientLink);
    EXPECT_EQ(answer.flags(), kRstAck);
    EXPECT_EQ(answer.from(), kVip);
    EXPECT_EQ(answer.to(), client_);
    EXPECT_EQ(answer.sequence(), 0u);
    EXPECT_EQ(answer.acknowledgement(), 1001u);
  }
};

constexpr OnRefusal kBoth[] = {OnRefusal::kReset, OnRefusal::kDrop};

TEST_F(Refusal, Draining) {
  for (const OnRefusal how : kBoth) {
    client_ = kClient;
    const Scene scene{.on_refusal = how};
    start(scene);
    establish(1000, 5000);
    auto next = make_snapshot(scene);
    next->draining = true;
    adopt(std::move(next));
    sent.clear();
    from_client(inbound(kAck, 1001, 5001));
    only(kBackendLink);
    next_client();
    expect_refused(net::DropReason::draining, how);
    EXPECT_EQ(core->flows.flow_count(), 1u);
    TearDown();
  }
}

TEST_F(Refusal, PortsExhausted) {
  for (const OnRefusal how : kBoth) {
    for (const ReusePolicy policy :
         {ReusePolicy::kNever, ReusePolicy::kNatural, ReusePolicy::kRebase}) {
      client_ = kClient;
      start({.reuse = policy, .ports = {2000, 2001}, .on_refusal = how});
      for (int i = 0; i < 2; ++i, next_client()) establish(1000, 5000);
      expect_refused(net::DropReason::ports_exhausted, how);
      EXPECT_EQ(pool().ports.counters().exhausted.value(), 1u);
      EXPECT_EQ(core->flows.flow_count(), 2u);
      TearDown();
    }
  }
}

TEST_F(Refusal, FlowTableFull) {
  for (const OnRefusal how : kBoth) {
    client_ = kClient;
    start({.on_refusal = how, .limits = {4, 64, 64}});
    for (int i = 0; i < 4; ++i, next_client()) establish(1000, 5000);
    expect_refused(net::DropReason::flow_table_full, how);
    EXPECT_EQ(pool().ports.counters().in_use.value(), 4u) << "no port is lost";
    TearDown();
  }
}

TEST_F(Refusal, NoBackend) {
  for (const OnRefusal how : kBoth) {
    for (const SchedulerKind kind : {SchedulerKind::kRoundRobin, SchedulerKind::kLeastConnections,
                                     SchedulerKind::kSourceHash}) {
      Scene scene{.scheduler = kind, .on_refusal = how};
      start(scene);
      auto drained = make_snapshot(scene);
      drained->services[0].backends[0].weight = 0;
      drained->services[0].wrr_order.clear();
      adopt(std::move(drained));
      expect_refused(net::DropReason::no_backend, how);
      TearDown();
    }
  }
}

TEST_F(Refusal, AnExhaustedPoolRecovers) {
  start({.reuse = ReusePolicy::kNever, .ports = {2000, 2000}});
  establish(1000, 5000);
  const net::Ipv4Endpoint first = client_;
  next_client();
  expect_refused(net::DropReason::ports_exhausted, OnRefusal::kReset);
  const net::Ipv4Endpoint second = client_;
  client_ = first;
  close_by_client(1001, 5001);
  client_ = second;
  expect_refused(net::DropReason::ports_exhausted, OnRefusal::kReset);  // still in its guard
  pass(100);
  open(1000);
}

TEST_F(Refusal, WithoutBuffersTheRefusalIsCountedAndSilent) {
  start({.ports = {2000, 2000}});
  establish(1000, 5000);
  client_.ip = ip4(10, 1, 0, 77);  // whose MAC has to be asked for
  rte_mbuf* taken[4096];
  const unsigned count = rte_mempool_avail_count(packet_pool()) - 1;
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(packet_pool(), taken, count), 0);
  EXPECT_DROP(mbuf_exhausted, from_client(inbound(kSyn, 1000)));
  expect_nothing();
  rte_pktmbuf_free_bulk(taken, count);
}

TEST_F(Refusal, WhatIsForADeviceThatIsGoneIsCounted) {
  start();
  establish(1000, 5000);
  tx_room = 0;
  core->tx.set_absent(1u << kBackendLink);
  EXPECT_DROP(port_absent, from_client(inbound(kAck, 1001, 5001)));
  core->tx.set_absent(1u << kClientLink);
  EXPECT_DROP(tx_full, from_client(inbound(kAck, 1001, 5001)));
  core->tx.set_absent(0);
  expect_nothing();
}

TEST_F(Refusal, WhatTheDeviceDoesNotTakeIsCounted) {
  start();
  establish(1000, 5000);
  tx_room = 0;
  EXPECT_DROP(tx_full, from_client(inbound(kAck, 1001, 5001)));
  expect_nothing();
  const uint64_t out = core->counters.packets_out.value();
  tx_room = 1;
  std::vector<Bytes> frames(3, tcp_frame(inbound(kAck, 1001, 5001)));
  burst(kClientLink, frames);
  EXPECT_EQ(drops(net::DropReason::tx_full), 3u);
  EXPECT_EQ(core->counters.packets_out.value(), out + 1);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
