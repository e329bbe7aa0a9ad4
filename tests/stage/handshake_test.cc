// SPDX-License-Identifier: BSD-3-Clause
// A connection through the NAT: every byte of it, both ways.
#include <map>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Handshake : public Stage {};

Bytes linux_syn_options(uint32_t tsval) {
  return option::mss(1460) + Bytes{4, 2} + option::timestamps(tsval, 0) + option::nop() +
         option::window_scale(7);
}
Bytes usual(uint32_t tsval, uint32_t tsecr) {
  return option::nop(2) + option::timestamps(tsval, tsecr);
}

TEST_F(Handshake, TheBackendsTimeIsMeasuredFromTheFirstSyn) {
  start();
  core->now_us = UINT32_MAX - 1000;  // the 32 bits that are kept wrap
  open(1000);
  core->now_us += 300'000;
  from_client(inbound(kSyn, 1000));  // sent again
  only(kBackendLink);
  core->now_us += 100'000;
  from_backend(outbound(kSynAck, 5000, 1001));
  only(kClientLink);
  from_backend(outbound(kSynAck, 5000, 1001));  // once is enough
  only(kClientLink);
  const HandshakeTimes& times = backend().handshakes;
  EXPECT_EQ(times.sum.value(), 400'000u);
  uint64_t count = 0;
  for (const Counter& bucket : times.buckets) count += bucket.value();
  EXPECT_EQ(count, 1u);
}

TEST_F(Handshake, FlowsAreCountedByState) {
  start();
  const auto in = [this](FlowState state) { return core->counters.flows_in(state).value(); };
  open(1000);
  EXPECT_EQ(in(FlowState::kSynSent), 1u);
  next_client();
  establish(2000, 6000);
  EXPECT_EQ(in(FlowState::kSynSent), 1u);
  EXPECT_EQ(in(FlowState::kEstablished), 1u);
  close_by_backend(2001, 6001);
  EXPECT_EQ(in(FlowState::kEstablished), 0u);
  EXPECT_EQ(in(FlowState::kTimeWait), 1u);
}

TEST_F(Handshake, EveryByteOfIt) {
  start();
  Tcp syn = inbound(kSyn, 1000, 0, linux_syn_options(7));
  from_client(syn);
  Sent out = only(kBackendLink);
  local_ = out.from();
  EXPECT_EQ(local_.ip, ip4(10, 2, 0, 1));
  EXPECT_GE(local_.port.host(), 2000);
  EXPECT_LE(local_.port.host(), 2015);
  const auto expected = [](Tcp tcp, net::Ipv4Endpoint from, net::Ipv4Endpoint to, uint8_t link) {
    tcp.from = from;
    tcp.to = to;
    tcp.ip.ttl -= 1;
    tcp.ip.to = host_mac(to.ip);
    tcp.ip.from = mac(link);
    return tcp_frame(tcp);
  };
  EXPECT_EQ(out.frame, expected(syn, local_, kBackend, 2));
  struct Row {
    bool inbound;
    Tcp tcp;
  };
  const Row rows[] = {
      {false, outbound(kSynAck, 5000, 1001, linux_syn_options(9))},
      {true, inbound(kAck, 1001, 5001, usual(8, 9))},
      {true, inbound(kAck | net::tcp_flag::kPsh, 1001, 5001, usual(8, 9))},
      {false,
       outbound(kAck, 5001, 1001, option::nop(2) + option::sack({1, 2, 3, 4}) + usual(10, 8))},
      {true,
       inbound(kAck, 1001, 5001, option::nop() + option::timestamps(8, 9) + Bytes{254, 4, 1, 2})},
  };
  for (Row row : rows) {
    row.tcp.payload = (row.tcp.flags & kSyn) != 0 ? Bytes{} : Bytes{1, 2, 3, 4, 5};
    row.inbound ? from_client(row.tcp) : from_backend(row.tcp);
    out = only(row.inbound ? kBackendLink : kClientLink);
    EXPECT_EQ(out.frame, row.inbound ? expected(row.tcp, local_, kBackend, 2)
                                     : expected(row.tcp, kVip, kClient, 1));
  }
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(Handshake, CountsWhatItDoes) {
  start();
  establish(1000, 5000);
  EXPECT_EQ(events(Event::flows_opened), 1u);
  EXPECT_EQ(events(Event::flows_established), 1u);
  EXPECT_EQ(service().connections.value(), 1u);
  EXPECT_EQ(backend().connections.value(), 1u);
  EXPECT_EQ(backend().active.value(), 1u);
  EXPECT_EQ(backend().flows.value(), 1u);
  EXPECT_EQ(backend().packets_in.value(), 2u);
  EXPECT_EQ(backend().packets_out.value(), 1u);
  EXPECT_EQ(backend().bytes_in.value(), 80u);
  EXPECT_EQ(backend().bytes_out.value(), 40u);
  EXPECT_EQ(pool().flows.value(), 1u);
  EXPECT_EQ(pool().ports.counters().in_use.value(), 1u);
  EXPECT_EQ(core->syns.free_count(), 64u) << "the SYN is kept no longer than the handshake";
}

TEST_F(Handshake, RetransmissionsGoTheSameWay) {
  start();
  const Sent first = open(1000, usual(1, 0));
  pass(1000);
  from_client(inbound(kSyn, 1000, 0, usual(1001, 0)));
  const Sent again = only(kBackendLink);
  EXPECT_EQ(again.from(), first.from());
  EXPECT_EQ(again.numbers().tsval, 1001u);
  for (int i = 0; i < 2; ++i) {
    from_backend(outbound(kSynAck, 5000, 1001, usual(1, 1001)));
    EXPECT_EQ(only(kClientLink).flags(), kSynAck);
  }
  pass(1000);
  from_client(inbound(kSyn, 1000, 0, usual(2001, 0)));  // the SYN-ACK was lost behind us
  EXPECT_EQ(only(kBackendLink).from(), first.from());
  from_client(inbound(kAck, 1001, 5001, usual(2002, 1)));
  only(kBackendLink);
  EXPECT_EQ(events(Event::syns_retransmitted), 2u);
  EXPECT_EQ(events(Event::flows_opened), 1u);
}

// The client asks for TCP Fast Open, hears nothing in time and asks again without the data; then
// the answer to the first SYN comes, which acknowledges the data.
TEST_F(Handshake, AnswerToDataOnASynThatWasSentAgainWithout) {
  start();
  Tcp syn = inbound(kSyn, 1000);
  syn.payload = Bytes(10, 'x');
  from_client(syn);
  local_ = only(kBackendLink).from();
  from_client(inbound(kSyn, 1000));
  only(kBackendLink);
  from_backend(outbound(kSynAck, 5000, 1011));
  const Sent answer = only(kClientLink);
  EXPECT_EQ(answer.flags(), kSynAck);
  EXPECT_EQ(answer.acknowledgement(), 1011u);
  EXPECT_EQ(events(Event::heals_started), 0u);
}

TEST_F(Handshake, ARefusalReachesTheClientAndLeavesTheTupleClean) {
  start({.ports = {2000, 2000}});
  open(1000);
  from_backend(outbound(kRstAck, 0, 1001));
  const Sent refusal = only(kClientLink);
  EXPECT_EQ(refusal.flags(), kRstAck);
  EXPECT_EQ(refusal.to(), kClient);
  EXPECT_EQ(refusal.acknowledgement(), 1001u);
  EXPECT_EQ(events(Event::backend_refusals), 1u);
  EXPECT_EQ(backend().refused.value(), 1u);
  EXPECT_EQ(backend().resets.value(), 0u);
  pass(100);
  next_client();
  open(1);  // the only port again
  EXPECT_EQ(pool().ports.counters().reuse_available.value(), 1u);
}

TEST_F(Handshake, AnotherSynOfTheSameClientPortBeginsAnew) {
  start();
  const Sent first = open(1000);
  from_client(inbound(kSyn, 90'000));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].flags(), kRst) << "the backend is told";
  EXPECT_EQ(sent[0].from(), first.from());
  EXPECT_EQ(sent[0].sequence(), 1001u);
  EXPECT_EQ(sent[1].flags(), kSyn);
  EXPECT_EQ(sent[1].sequence(), 90'000u);
  EXPECT_NE(sent[1].from(), first.from());
  sent.clear();
  EXPECT_EQ(events(Event::flows_replaced), 1u);
  EXPECT_EQ(core->flows.flow_count(), 1u);
}

TEST_F(Handshake, ASynInAnEstablishedFlowIsTheBackendsToJudge) {
  start();
  establish(1000, 5000);
  from_client(inbound(kSyn, 90'000));
  EXPECT_EQ(only(kBackendLink).flags(), kSyn);
  from_backend(outbound(kAck, 5001, 1001));  // RFC 5961's challenge
  EXPECT_EQ(only(kClientLink).flags(), kAck);
  from_client(inbound(kRst, 1001));
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
  EXPECT_EQ(name_of(state()), "closed");
}

TEST_F(Handshake, ClientsAreSpreadOverBackendsAndLocals) {
  start({.ports = {2000, 2003}, .locals = 2, .backends = 2});
  std::map<std::pair<uint32_t, uint32_t>, int> count;
  for (int i = 0; i < 16; ++i, next_client()) {
    const Sent syn = open(1000);
    ++count[{syn.from().ip.host(), syn.to().ip.host()}];
  }
  EXPECT_EQ(count.size(), 4u);
  for (const auto& [pair, connections] : count) EXPECT_EQ(connections, 4);
}

TEST_F(Handshake, WithoutRoomToKeepTheSynItGoesOnWithout) {
  start({.limits = {64, 64, 1}});
  open(1000);
  next_client();
  establish(2000, 6000);
  EXPECT_EQ(events(Event::syns_not_kept), 1u);
}

}  // namespace
}  // namespace sluice::test
