// SPDX-License-Identifier: BSD-3-Clause
// UDP through the stages: every byte both ways, states, ends of flows, ICMP about them.
#include "tests/stage/udp_stage.h"

#include <set>

#include "dataplane/worker/worker_call.h"

namespace sluice::test {
namespace {

/// What translation makes of a datagram.
Bytes translated(Udp datagram, net::Ipv4Endpoint from, net::Ipv4Endpoint to, uint8_t link) {
  datagram.ip.to = host_mac(to.ip);
  datagram.ip.from = mac(static_cast<uint8_t>(link + 1));
  datagram.ip.ttl = static_cast<uint8_t>(datagram.ip.ttl - 1);
  datagram.from = from;
  datagram.to = to;
  return udp_frame(datagram);
}

TEST_F(UdpStage, EveryByteBothWays) {
  start(udp());
  for (const size_t length : {0, 1, 2, 7, 512, 1472}) {
    for (const bool has_checksum : {true, false}) {
      Udp in = asked(Bytes(length, 0xa5)), out;
      in.has_checksum = has_checksum;
      from_client(in);
      const Sent inbound = only_datagram(kBackendLink);
      local_ = inbound.from();
      EXPECT_EQ(inbound.frame, translated(in, local_, kBackend, kBackendLink)) << length;
      out = answered(Bytes(length, 0x5a));
      out.has_checksum = has_checksum;
      from_backend(out);
      EXPECT_EQ(only_datagram(kClientLink).frame, translated(out, kVip, client_, kClientLink));
    }
  }
  EXPECT_EQ(events(Event::flows_opened), 1u);
}

TEST_F(UdpStage, AChecksumThatComesOutAsZeroIsAllOnes) {
  start(udp());
  ask();
  size_t zeros = 0;
  for (uint32_t word = 0; word < 0x10000; word += 1) {
    Bytes payload;
    put16(payload, static_cast<uint16_t>(word));
    const Bytes expected = translated(asked(payload), local_, kBackend, kBackendLink);
    if (get16(expected, kUdpChecksumAt) != 0xffff) continue;
    ++zeros;
    from_client(asked(payload));
    EXPECT_EQ(only_datagram(kBackendLink).frame, expected);
  }
  EXPECT_EQ(zeros, 1u);
}

TEST_F(UdpStage, WhatIpCarriesBehindTheDatagramGoesAlong) {  // RFC 9868
  start(udp());
  Bytes frame = udp_frame(asked({1, 2, 3}));
  frame = frame + Bytes{9, 9, 9};
  frame[kIpAt + 3] = static_cast<uint8_t>(frame[kIpAt + 3] + 3);
  fix_ip_checksum(frame);
  burst(kClientLink, {frame});
  const Sent out = only_datagram(kBackendLink);
  EXPECT_EQ(slice(out.frame, kTcpAt + 8, out.frame.size()), (Bytes{1, 2, 3, 9, 9, 9}));
  EXPECT_EQ(get16(out.frame, kTcpAt + 4), 11);
}

TEST_F(UdpStage, StatesFollowWhoHasSpoken) {
  start(udp());
  ask();
  EXPECT_EQ(name_of(udp_state()), "udp_unanswered");
  ask();
  EXPECT_EQ(name_of(udp_state()), "udp_unanswered");
  answer(), answer();
  EXPECT_EQ(name_of(udp_state()), "udp_answered");
  ask();
  EXPECT_EQ(name_of(udp_state()), "udp_answered");
  EXPECT_EQ(events(Event::flows_established), 0u);
  answer();
  EXPECT_EQ(name_of(udp_state()), "udp_established");
  EXPECT_EQ(events(Event::flows_established), 1u);
  EXPECT_EQ(backend().answered.value(), 1u);
  EXPECT_EQ(core->flows[udp_flow()].bytes_in(), 3u);
  EXPECT_EQ(core->flows[udp_flow()].bytes_out(), 3u);
  ListFlows all({}, {.rows_max = 10});
  while (!all.step(*core)) {
  }
  ASSERT_EQ(all.rows().size(), 1u);
  EXPECT_EQ(all.rows()[0].protocol, net::Protocol::kUdp);
}

TEST_F(UdpStage, SilenceEndsAFlowAfterItsServicesTime) {
  start(udp({.udp_idle_ms = 30'000}));
  establish_udp();
  const net::be16 port = local_.port;
  pass(29'900);
  ask();
  EXPECT_EQ(local_.port, port);
  pass(29'900);
  answer();
  pass(29'900);
  EXPECT_TRUE(has_flow());
  pass(200);
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  EXPECT_EQ(backend().timeouts.value(), 0u);
  expect_nothing();
}

TEST_F(UdpStage, InboundRefreshAloneKeepsAFlowWhereTheServiceSaysSo) {  // RFC 4787, REQ-6
  start(udp({.udp_idle_ms = 30'000, .udp_refresh_both = false}));
  establish_udp();
  for (int i = 0; i < 2; ++i) pass(14'000), answer();
  pass(2'100);
  EXPECT_FALSE(has_flow());
}

TEST_F(UdpStage, AnUnansweredFlowCountsAtItsBackend) {
  start(udp({.udp_idle_ms = 30'000}));
  ask();
  pass(30'100);
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(backend().unanswered.value(), 1u);
}

TEST_F(UdpStage, AShorterIdleTimeHoldsForFlowsThatStand) {
  Scene scene = udp();
  start(scene);
  establish_udp();
  scene.udp_idle_ms = 5'000;
  adopt(make_snapshot(scene));
  pass(4'000);
  EXPECT_TRUE(has_flow());
  pass(1'100);
  EXPECT_FALSE(has_flow());
}

TEST_F(UdpStage, OneShotGivesThePortBackWithTheAnswer) {
  start(udp({.udp_one_shot = true}));
  ask(), answer();
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(pool().ports.counters().in_use.value(), 0u);
  EXPECT_EQ(pool().ports.counters().time_wait.value(), 0u) << "no further answer is due";
  EXPECT_DROP(no_flow_outbound, from_backend(answered()));
  expect_nothing();
}

TEST_F(UdpStage, OneShotWaitsForAsManyAnswersAsRequests) {
  start(udp({.udp_one_shot = true}));
  ask(), ask();
  answer();
  EXPECT_TRUE(has_flow());
  answer();
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(pool().ports.counters().time_wait.value(), 1u)
      << "that was perhaps one answer twice, and the other may still come";
}

TEST_F(UdpStage, OneShotDoesNotWaitLongWhereARequestWasSentAgain) {
  start(udp({.udp_one_shot = true}));
  ask(), ask(), answer();
  pass(1'900);
  EXPECT_TRUE(has_flow());
  pass(200);
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(pool().ports.counters().time_wait.value(), 1u) << "a second answer may still come";
}

TEST_F(UdpStage, AWrongChecksumOpensNothingAndEndsNothing) {
  start(udp({.udp_one_shot = true}));
  Bytes wrong = udp_frame(asked());
  wrong.back() ^= 1;
  EXPECT_DROP(udp_checksum_bad, burst(kClientLink, {wrong}));
  ask();
  wrong = udp_frame(answered());
  wrong.back() ^= 1;
  EXPECT_DROP(udp_checksum_bad, burst(kBackendLink, {wrong}));
  EXPECT_TRUE(has_flow());
  expect_nothing();
}

TEST_F(UdpStage, BadHeaders) {
  start(udp());
  for (const uint8_t length : {0, 7, 10}) {
    Bytes frame = udp_frame(asked());
    frame[kTcpAt + 5] = length;
    fix_udp_checksum(frame);
    EXPECT_DROP(udp_header_bad, burst(kClientLink, {frame}));
  }
  for (const size_t port : {kTcpAt, kTcpAt + 2}) {
    Bytes frame = udp_frame(asked());
    frame[port] = frame[port + 1] = 0;
    fix_udp_checksum(frame);
    EXPECT_DROP(udp_header_bad, burst(kClientLink, {frame}));
  }
  const Ip cut{.protocol = net::kProtocolUdp};
  EXPECT_DROP(udp_header_bad, burst(kClientLink, {ip_frame(cut, {0, 1, 0, 1, 0, 8, 0})}));
  expect_nothing();
}

TEST_F(UdpStage, TtlOneOpensNothingAndPassesNothing) {
  start(udp());
  Udp in = asked();
  in.ip.ttl = 1;
  EXPECT_DROP(ipv4_ttl_expired, from_client(in));
  EXPECT_FALSE(has_flow());
  sent.clear();  // time exceeded
  ask();
  EXPECT_DROP(ipv4_ttl_expired, from_client(in));
  Udp out = answered();
  out.ip.ttl = 1;
  EXPECT_DROP(ipv4_ttl_expired, from_backend(out));
  in.to.port = net::be16::from_host(33434);
  EXPECT_DROP(ipv4_ttl_expired, from_client(in));
  EXPECT_EQ(events(Event::time_exceeded_sent), 4u);
  EXPECT_EQ(sent.size(), 3u) << "answers alone";
  sent.clear();
}

TEST_F(UdpStage, APortWithoutAServiceIsUnreachable) {
  start(udp());
  Udp in = asked({'x'});
  in.to.port = net::be16::from_host(33434);
  EXPECT_DROP(no_service, from_client(in));
  ASSERT_EQ(sent.size(), 1u);
  const Bytes& frame = sent[0].frame;
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_TRUE(ip_checksum_right(frame));
  EXPECT_TRUE(icmp_checksum_right(frame));
  EXPECT_EQ(get32(frame, kIpAt + 12), kVip.ip.host());
  EXPECT_EQ(get32(frame, kIpAt + 16), client_.ip.host());
  EXPECT_EQ(get16(frame, kTcpAt), 0x0303);
  EXPECT_EQ(get32(frame, kTcpAt + 4), 0u);
  const Bytes asked_frame = udp_frame(in);
  EXPECT_EQ(slice(frame, kTcpAt + 8, frame.size()), slice(asked_frame, kIpAt, asked_frame.size()));
  sent.clear();
  for (int i = 0; i < 20; ++i) from_client(in);
  EXPECT_EQ(sent.size(), IcmpLimit::kBurst - 1);
  EXPECT_EQ(events(Event::port_unreachable_limited), 21 - IcmpLimit::kBurst);
  sent.clear();
  Tcp tcp = inbound(kSyn, 1);  // TCP has no service there either
  EXPECT_DROP(no_service, Stage::from_client(tcp));
  only(kClientLink);
}

TEST_F(UdpStage, ARefusalIsToldByIcmpOrNotAtAll) {
  for (const OnRefusal on_refusal : {OnRefusal::kReset, OnRefusal::kDrop}) {
    Scene scene = udp({.on_refusal = on_refusal});
    start(scene);
    auto without = make_snapshot(scene);
    without->services[0].wrr_order.clear();
    for (BackendView& view : without->services[0].backends) view.weight = 0;
    adopt(std::move(without));
    EXPECT_DROP(no_backend, from_client(asked()));
    EXPECT_EQ(sent.size(), on_refusal == OnRefusal::kReset ? 1u : 0u);
    EXPECT_EQ(service().refused.value(), 1u);
    sent.clear();
    TearDown();
  }
}

TEST_F(UdpStage, PortsAreDrawnAtRandomAndNeverTwiceInARow) {
  start(udp({.ports = {2000, 2015}, .udp_one_shot = true}));
  std::vector<uint16_t> ports;
  for (int i = 0; i < 400; ++i) {
    next_client();
    ask(), answer();
    ports.push_back(local_.port.host());
    pass(200);
  }
  EXPECT_EQ(std::set<uint16_t>(ports.begin(), ports.end()).size(), 16u);
  size_t repeats = 0;
  for (size_t i = 1; i < ports.size(); ++i) {
    EXPECT_NE(ports[i], ports[i - 1]);
    repeats += i >= 16 && ports[i] == ports[i - 16];
  }
  EXPECT_LT(repeats, 60u) << "a FIFO repeats its order: 384 times";
}

TEST_F(UdpStage, APortWhoseAnswerMayComeRestsAndALateOneReachesNobody) {
  start(udp({.ports = {2000, 2000}, .udp_idle_ms = 1'000}));
  ask();
  const net::Ipv4Endpoint old = local_;
  pass(1'100);
  EXPECT_FALSE(has_flow());
  next_client();
  EXPECT_DROP(ports_exhausted, from_client(asked()));
  sent.clear();
  pass(1'800);
  EXPECT_DROP(no_flow_outbound, from_backend(answered()));  // it rests anew
  pass(1'900);
  EXPECT_DROP(ports_exhausted, from_client(asked()));
  sent.clear();
  pass(200);
  ask();
  EXPECT_EQ(local_, old);
}

/// A snapshot in which the backend at `address` takes no new flows.
class UdpRetired : public UdpStage {
 protected:
  void retire(const Scene& scene, net::Ipv4Endpoint address) {
    auto without = make_snapshot(scene);
    auto& backends = without->services[0].backends;
    for (uint16_t b = 0; b < backends.size(); ++b) {
      if (backends[b].address == address) {
        backends[b].weight = 0;
        std::erase(without->services[0].wrr_order, b);
      }
    }
    adopt(std::move(without));
  }
};

TEST_F(UdpRetired, AFlowWithoutAnAnswerLeavesTheBackend) {
  const Scene scene = udp({.backends = 2});
  start(scene);
  ask();
  const net::Ipv4Endpoint first = backend_;
  retire(scene, first);
  pass(100);
  ask();
  EXPECT_EQ(backend_, first) << "not before a second";
  pass(1'000);
  ask();
  EXPECT_NE(backend_, first);
  establish_udp();
}

TEST_F(UdpRetired, AClientThatSendsWithoutAPauseLeavesItAsWell) {  // syslog, statsd
  const Scene scene = udp({.backends = 2});
  start(scene);
  ask();
  const net::Ipv4Endpoint first = backend_;
  retire(scene, first);
  for (int i = 0; i < 10; ++i) pass(100), ask();
  EXPECT_NE(backend_, first);
  EXPECT_EQ(core->flows.flow_count(), 1u);
}

TEST_F(UdpStage, AnOrderedResetEndsFlowsWithoutAWord) {
  start(udp());
  establish_udp();
  ResetFlows::Backends backends;
  backends.set(0);
  ResetFlows reset(backends);
  while (!reset.step(*core)) ++core->now_ms;
  flush();
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(reset.reset_count(), 1u);
  expect_nothing();
  ask();
}

class UdpIcmp : public UdpStage {
 protected:
  static constexpr size_t kQuoted = kTcpAt + 8;
  void error(uint16_t link, net::Ipv4Address from, net::Ipv4Address to, const Bytes& quoted,
             uint8_t type, uint8_t code, size_t length = 28) {
    const Ip ip{.source = from, .destination = to, .to = mac(static_cast<uint8_t>(link + 1))};
    burst(link, {icmp_frame(ip, type, code, 0, slice(quoted, kIpAt, kIpAt + length))});
  }
  /// The only frame out of `sent`: ICMP whose quoted headers are right.
  Bytes only_error(uint16_t port) {
    EXPECT_EQ(sent.size(), 1u);
    if (sent.empty()) return Bytes(200);
    const Sent frame = sent.front();
    sent.clear();
    EXPECT_EQ(frame.port, port);
    EXPECT_TRUE(ip_checksum_right(frame.frame));
    EXPECT_TRUE(icmp_checksum_right(frame.frame));
    EXPECT_EQ(reference_checksum(std::span(frame.frame).subspan(kQuoted, 20)), 0);
    return frame.frame;
  }
};

TEST_F(UdpIcmp, TheQuotedDatagramIsTheOneThatItsSenderSent) {
  for (const bool has_checksum : {true, false}) {
    start(udp());
    Udp in = asked({1, 2, 3});
    in.has_checksum = has_checksum;
    from_client(in);
    const Sent out = only_datagram(kBackendLink);
    local_ = out.from(), backend_ = out.to();
    error(kBackendLink, ip4(10, 2, 0, 99), local_.ip, out.frame, 11, 0);  // a router's
    Bytes frame = only_error(kClientLink);
    EXPECT_EQ(get32(frame, kIpAt + 12), kVip.ip.host());
    EXPECT_EQ(get32(frame, kIpAt + 16), client_.ip.host());
    Bytes original = udp_frame(in);
    EXPECT_EQ(slice(frame, kQuoted + 12, kQuoted + 28), slice(original, kIpAt + 12, kIpAt + 28));
    EXPECT_FALSE(has_flow()) << "no answer can be on its way";

    ask();
    Udp reply = answered({4, 5});
    reply.has_checksum = has_checksum;
    from_backend(reply);
    const Sent back = only_datagram(kClientLink);
    error(kClientLink, client_.ip, kVip.ip, back.frame, 3, 3);
    frame = only_error(kBackendLink);
    EXPECT_EQ(get32(frame, kIpAt + 12), local_.ip.host());
    EXPECT_EQ(get32(frame, kIpAt + 16), backend_.ip.host());
    original = udp_frame(reply);
    EXPECT_EQ(slice(frame, kQuoted + 12, kQuoted + 28), slice(original, kIpAt + 12, kIpAt + 28));
    EXPECT_TRUE(has_flow()) << "a client's error ends nothing";
    TearDown();
  }
}

TEST_F(UdpIcmp, PortUnreachableOfTheBackendEndsTheFlow) {
  start(udp());
  establish_udp();
  from_client(asked());
  const Sent out = only_datagram(kBackendLink);
  error(kBackendLink, ip4(10, 2, 0, 99), local_.ip, out.frame, 3, 3);
  only_error(kClientLink);
  EXPECT_TRUE(has_flow()) << "somebody else said so";
  error(kBackendLink, backend_.ip, local_.ip, out.frame, 3, 1);
  only_error(kClientLink);
  EXPECT_TRUE(has_flow()) << "and may be mistaken";
  error(kBackendLink, backend_.ip, local_.ip, out.frame, 3, 3);
  only_error(kClientLink);
  EXPECT_FALSE(has_flow());
  EXPECT_EQ(events(Event::udp_refused), 1u);
  EXPECT_EQ(backend().refused.value(), 1u);
  error(kBackendLink, backend_.ip, local_.ip, out.frame, 3, 3);
  EXPECT_EQ(drops(net::DropReason::no_flow_icmp), 1u);
  expect_nothing();
}

TEST_F(UdpIcmp, OnTheClientsLinkNobodyHasSeenWhatWentToABackend) {  // a port can be guessed
  start(udp());
  from_client(asked());
  const Sent out = only_datagram(kBackendLink);
  for (const net::Ipv4Address from : {client_.ip, ip4(192, 0, 2, 1)}) {
    EXPECT_DROP(no_flow_icmp, error(kClientLink, from, out.from().ip, out.frame, 3, 1));
  }
  EXPECT_TRUE(has_flow());
  EXPECT_EQ(backend().refused.value(), 0u);
  expect_nothing();
}

TEST_F(UdpIcmp, LessThanAHeaderQuotesNothing) {
  start(udp());
  from_client(asked({1, 2, 3}));
  const Sent out = only_datagram(kBackendLink);
  EXPECT_DROP(icmp_bad, error(kBackendLink, ip4(10, 2, 0, 99), out.from().ip, out.frame, 3, 3, 27));
}

TEST_F(UdpIcmp, WhatIsTooLargeIsToldOrCut) {
  start(udp({.backend_mtu = 600}));
  const Udp in = asked(Bytes(1000, 7));
  EXPECT_DROP(mtu_exceeded, from_client(in));
  const Bytes frame = only_error(kClientLink);
  EXPECT_EQ(get16(frame, kTcpAt), 0x0304);
  EXPECT_EQ(get16(frame, kTcpAt + 6), 600);
  const Bytes original = udp_frame(in);
  EXPECT_EQ(slice(frame, kQuoted, frame.size()),
            slice(original, kIpAt, kIpAt + frame.size() - kQuoted));
  Udp whole = in;
  whole.ip.fragment = 0;
  from_client(whole);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(get16(sent[0].frame, kIpAt + 6), 0x2000);
  EXPECT_EQ(get16(sent[1].frame, kIpAt + 6), 576 / 8);
  sent.clear();
}

TEST_F(UdpStage, BroadcastAndMulticastSourcesAreRefused) {
  start(udp());
  Udp in = asked();
  in.from.ip = ip4(10, 1, 255, 255);
  EXPECT_DROP(ipv4_source_broadcast, from_client(in));
  in.from.ip = ip4(224, 0, 0, 1);
  EXPECT_DROP(ipv4_source_bad, from_client(in));
  in.from.ip = kVip.ip;
  EXPECT_DROP(ipv4_source_bad, from_client(in));
  expect_nothing();
}

}  // namespace
}  // namespace sluice::test
