// SPDX-License-Identifier: BSD-3-Clause
// How flows end on the wire, what their port learns of it, and what late segments do.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Closing : public Stage {
 protected:
  PriorIncarnation prior() { return pool().ports.prior(local_.port.host()); }
};

TEST_F(Closing, ByTheBackendLeavesItHeld) {
  start();
  establish(1000, 5000, option::timestamps(70, 1));
  close_by_backend(1001, 5001, option::timestamps(75, 1));
  EXPECT_EQ(events(Event::flows_closed_time_wait), 1u);
  EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kTimeWait);
  EXPECT_EQ(prior().rcv_nxt, 1002u);
  EXPECT_EQ(prior().ts_recent, 75u);
  EXPECT_TRUE(prior().timestamps);
  EXPECT_EQ(prior().closed_ms, core->now32());
  EXPECT_FALSE(pool().ports.in_use(local_.port.host()));
  EXPECT_EQ(backend().active.value(), 0u);
}

TEST_F(Closing, ByTheClientLeavesItClean) {
  start();
  establish(1000, 5000);
  close_by_client(1001, 5001);
  EXPECT_EQ(events(Event::flows_closed_available), 1u);
  EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kAvailable);
}

TEST_F(Closing, ResetsByEitherEndLeaveItClean) {
  for (const bool by_client : {true, false}) {
    start();
    establish(1000, 5000);
    by_client ? from_client(inbound(kRst, 1001)) : from_backend(outbound(kRst, 5001));
    EXPECT_EQ(only(by_client ? kBackendLink : kClientLink).flags(), kRst);
    EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kAvailable);
    by_client ? from_client(inbound(kRst, 1001)) : from_backend(outbound(kRst, 5001));
    EXPECT_EQ(only(by_client ? kBackendLink : kClientLink).flags(), kRst) << "a late one passes";
    EXPECT_EQ(backend().resets.value(), 1u) << "but counts no second time";
    TearDown();
  }
}

TEST_F(Closing, TimestampsTheBackendDidNotAgreeToAreNone) {
  start();
  open(1000, option::timestamps(70, 0));
  from_backend(outbound(kSynAck, 5000, 1001));
  only(kClientLink);
  from_client(inbound(kAck, 1001, 5001));
  only(kBackendLink);
  close_by_backend(1001, 5001);
  EXPECT_FALSE(prior().timestamps);
}

TEST_F(Closing, NewestTsvalIsTheLargestInTheWindow) {
  start();
  establish(1000, 5000, option::timestamps(0xfffffff0, 1));
  const auto data = [&](uint32_t sequence, uint32_t tsval) {
    Tcp tcp = inbound(kAck, sequence, 5001, option::timestamps(tsval, 1));
    tcp.payload = Bytes(10);
    from_client(tcp);
    only(kBackendLink);
  };
  data(1001, 5);           // over the wrap
  data(1011, 0xfffffff8);  // overtaken
  data(0x80000000, 9999);  // from nowhere
  close_by_backend(1021, 5001, option::timestamps(6, 1));
  EXPECT_EQ(prior().ts_recent, 6u);
}

TEST_F(Closing, LateSegmentsFindTheirWayAndRestartTimeWait) {
  start();
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  const uint32_t closed = prior().closed_ms;
  pass(3000);
  from_client(inbound(kFin, 1001, 5002));  // the last acknowledgement was lost
  EXPECT_EQ(only(kBackendLink).from(), local_);
  EXPECT_EQ(prior().closed_ms, closed + 3000);
  from_backend(outbound(kAck, 5002, 1002));
  EXPECT_EQ(only(kClientLink).to(), kClient);
}

TEST_F(Closing, EntriesThatAreOverGoAfterTheirTime) {
  start();
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  EXPECT_EQ(core->flows.flow_count(), 1u);
  pass(9'900);
  EXPECT_EQ(core->flows.flow_count(), 1u);
  pass(200);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  EXPECT_EQ(backend().timeouts.value(), 0u);
  from_client(inbound(kAck, 1002, 5002));
  EXPECT_EQ(only(kClientLink).flags(), kRst);
  EXPECT_EQ(drops(net::DropReason::no_flow_inbound), 1u);
}

TEST_F(Closing, TheSameClientPortBeginsAnewOnAnotherLocalPort) {
  start();
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  const net::Ipv4Endpoint old = local_;
  const Sent syn = open(500'000);
  EXPECT_NE(syn.from(), old);
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(events(Event::flows_replaced), 0u);
}

TEST_F(Closing, AClientThatGivesUpItsSynLeavesTheLedgerAsItWas) {
  start({.reuse = ReusePolicy::kNatural, .ports = {2000, 2000}});
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  next_client();
  open(9000);  // natural: newer
  from_client(inbound(kRst, 9001));
  only(kBackendLink);
  EXPECT_EQ(prior().kind, PriorIncarnation::Kind::kTimeWait)
      << "the RST does not end the backend's TIME_WAIT";
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Closing, OldestThatIsOverMakesRoom) {
  start({.limits = {4, 64, 64}});
  for (int i = 0; i < 4; ++i, next_client()) {
    establish(1000, 5000);
    close_by_client(1001, 5001);
    pass(10);
  }
  EXPECT_EQ(core->flows.flow_count(), 4u);
  open(1000);
  EXPECT_EQ(events(Event::flows_evicted), 1u);
  EXPECT_EQ(core->flow_of_client(net::Protocol::kTcp, kClient, kVip), FlowTable::kNone)
      << "the first that ended";
  EXPECT_EQ(core->flows.flow_count(), 4u);
}

}  // namespace
}  // namespace sluice::test
