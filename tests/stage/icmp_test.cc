// SPDX-License-Identifier: BSD-3-Clause
// ICMP through the stages: echo, and errors about flows both ways.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class IcmpStage : public Stage {
 protected:
  static constexpr size_t kQuoted = kTcpAt + 8;  // the quoted IP header in a frame
  Bytes error(uint8_t link, net::Ipv4Address from, net::Ipv4Address to, const Bytes& quoted,
              uint8_t type = 3, uint8_t code = 4, uint8_t ttl = 64) {
    const Ip ip{
        .source = from, .destination = to, .ttl = ttl, .to = mac(static_cast<uint8_t>(link + 1))};
    return icmp_frame(ip, type, code, 1400, slice(quoted, kIpAt, kTcpAt + 8));
  }
};

TEST_F(IcmpStage, EchoToEveryAddressOfOurs) {
  start();
  for (const net::Ipv4Address ours : {kVip.ip, ip4(10, 2, 0, 1), ip4(10, 1, 255, 254)}) {
    const Ip ip{.source = kClient.ip, .destination = ours, .to = mac(1)};
    burst(kClientLink, {icmp_frame(ip, 8, 0, 0x00010002, Bytes(57, 'p'))});
    ASSERT_EQ(sent.size(), 1u);
    const Ip back{
        .source = ours, .destination = kClient.ip, .to = host_mac(kClient.ip), .from = mac(1)};
    EXPECT_EQ(sent[0].frame, icmp_frame(back, 0, 0, 0x00010002, Bytes(57, 'p')));
    sent.clear();
  }
  EXPECT_EQ(events(Event::echo_requests_answered), 3u);
}

TEST_F(IcmpStage, BadAndUnknown) {
  start();
  const Ip ip{.source = kClient.ip, .destination = kVip.ip, .to = mac(1)};
  Bytes wrong = icmp_frame(ip, 8, 0, 1, Bytes(8));
  wrong.back() ^= 1;
  EXPECT_DROP(icmp_bad, burst(kClientLink, {wrong}));
  EXPECT_DROP(icmp_bad, burst(kClientLink, {icmp_frame(ip, 3, 0, 1, Bytes(8))}));
  for (const uint8_t type : {0, 4, 5, 13, 255}) {
    EXPECT_DROP(icmp_unknown, burst(kClientLink, {icmp_frame(ip, type, 0, 1, Bytes(28))}));
  }
  expect_nothing();
}

TEST_F(IcmpStage, AnErrorOfTheBackendsSideReachesTheClientInItsOwnNumbers) {
  start({.ports = {2000, 2000}});
  establish(0x80000000, 5000);
  close_by_backend(0x80000001, 5001);
  next_client();
  const Sent syn = open(1000);  // shifted
  ASSERT_NE(syn.sequence(), 1000u);
  burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200), local_.ip, syn.frame)});
  ASSERT_EQ(sent.size(), 1u);
  const Bytes& frame = sent[0].frame;
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_TRUE(ip_checksum_right(frame));
  EXPECT_TRUE(icmp_checksum_right(frame));
  EXPECT_EQ(reference_checksum(std::span(frame).subspan(kQuoted, 20)), 0);
  EXPECT_EQ(get32(frame, kIpAt + 12), kVip.ip.host());
  EXPECT_EQ(get32(frame, kIpAt + 16), kClient.ip.host());
  EXPECT_EQ(get32(frame, kQuoted + 12), kClient.ip.host());
  EXPECT_EQ(get32(frame, kQuoted + 16), kVip.ip.host());
  EXPECT_EQ(get16(frame, kQuoted + 20), client_.port.host());
  EXPECT_EQ(get16(frame, kQuoted + 22), 80);
  EXPECT_EQ(get32(frame, kQuoted + 24), 1000u);
  EXPECT_EQ(get32(frame, kTcpAt + 4), 1400u) << "the MTU";
  sent.clear();
  EXPECT_EQ(events(Event::icmp_errors_translated), 1u);
}

TEST_F(IcmpStage, AnErrorOfTheClientsSideReachesTheBackend) {
  start();
  establish(1000, 5000);
  from_backend(outbound(kAck, 5001, 1001));
  const Sent seen = only(kClientLink);
  burst(kClientLink, {error(kClientLink, ip4(10, 1, 0, 200), kVip.ip, seen.frame)});
  ASSERT_EQ(sent.size(), 1u);
  const Bytes& frame = sent[0].frame;
  EXPECT_EQ(sent[0].port, kBackendLink);
  EXPECT_TRUE(icmp_checksum_right(frame));
  EXPECT_EQ(get32(frame, kIpAt + 12), local_.ip.host());
  EXPECT_EQ(get32(frame, kIpAt + 16), kBackend.ip.host());
  EXPECT_EQ(get32(frame, kQuoted + 12), kBackend.ip.host());
  EXPECT_EQ(get16(frame, kQuoted + 20), 8080);
  EXPECT_EQ(get16(frame, kQuoted + 22), local_.port.host());
  EXPECT_EQ(get32(frame, kQuoted + 24), 5001u);
  sent.clear();
}

TEST_F(IcmpStage, ErrorsThatAreNotForAFlow) {
  start();
  const Sent syn = open(1000);
  EXPECT_DROP(
      icmp_bad,
      burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200), kVip.ip,
                                 syn.frame)}));  // quotes a packet that its addressee did not send
  EXPECT_DROP(ipv4_ttl_expired, burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200),
                                                           local_.ip, syn.frame, 3, 4, 1)}));
  Bytes other = syn.frame;
  other[kTcpAt + 1] ^= 1;  // another local port
  EXPECT_DROP(no_flow_icmp,
              burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200), local_.ip, other)}));
  expect_nothing();
}

TEST_F(IcmpStage, AnErrorLeavesTheFlowAsItIs) {
  start();
  establish(1000, 5000);
  from_client(inbound(kAck, 1001, 5001));
  const Sent seen = only(kBackendLink);
  for (const uint8_t type : {3, 11, 12}) {
    burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200), local_.ip, seen.frame, type, 1)});
    EXPECT_EQ(sent.size(), 1u);
    sent.clear();
  }
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(IcmpStage, AnErrorAboutASynRefusesIt) {
  start({.ports = {2000, 2000}});
  for (const auto& [type, code] :
       {std::pair<uint8_t, uint8_t>{3, 3}, {3, 10}, {3, 13}, {3, 1}, {11, 0}}) {
    const Sent syn = open(1000);
    const uint64_t refused = backend().refused.value();
    burst(kBackendLink, {error(kBackendLink, kBackend.ip, local_.ip, syn.frame, type, code)});
    ASSERT_EQ(sent.size(), 1u) << "the client is told";
    EXPECT_EQ(sent[0].port, kClientLink);
    EXPECT_EQ(get16(sent[0].frame, kTcpAt), type << 8 | code);
    EXPECT_EQ(get32(sent[0].frame, kQuoted + 24), 1000u);
    sent.clear();
    EXPECT_EQ(backend().refused.value(), refused + 1);
    EXPECT_EQ(flow(), FlowTable::kNone);
    EXPECT_EQ(pool().ports.counters().in_use.value(), 0u);
    next_client();
  }
  EXPECT_EQ(events(Event::backend_refusals), 5u);
}

TEST_F(IcmpStage, ASynThatIsTooLargeIsNotRefused) {
  start();
  const Sent syn = open(1000);
  burst(kBackendLink, {error(kBackendLink, kBackend.ip, local_.ip, syn.frame, 3, 4)});
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();
  EXPECT_EQ(backend().refused.value(), 0u);
  EXPECT_NE(flow(), FlowTable::kNone);
}

TEST_F(IcmpStage, WhatTheBackendHeldOfATupleItStillHolds) {
  start({.ports = {2000, 2000}});
  establish(0x80000000, 5000);
  close_by_backend(0x80000001, 5001);
  next_client();
  const Sent first = open(0x70000000);
  ASSERT_NE(first.sequence(), 0x70000000u);
  burst(kBackendLink, {error(kBackendLink, ip4(10, 2, 0, 200), local_.ip, first.frame, 3, 1)});
  sent.clear();
  next_client();
  EXPECT_GT(static_cast<int32_t>(open(0x70000000).sequence() - first.sequence()), 0);
}

TEST_F(IcmpStage, AGuessedSequenceIsNotBelieved) {
  start();
  Sent syn = open(1000);
  const auto guess = [](Bytes frame, uint32_t sequence) {
    for (int i = 0; i < 4; ++i) {
      frame[kTcpAt + 4 + static_cast<size_t>(i)] = static_cast<uint8_t>(sequence >> (24 - 8 * i));
    }
    return frame;
  };
  for (const uint32_t wrong : {999u, 1001u, 0x80001000u}) {
    const Bytes frame = guess(syn.frame, wrong);
    EXPECT_DROP(icmp_out_of_window,
                burst(kBackendLink, {error(kBackendLink, kBackend.ip, local_.ip, frame, 3, 3)}));
  }
  // Before the backend has answered, nothing was sent to the client.
  Tcp never = outbound(kSynAck, 5000, 1001);
  never.from = kVip;
  never.to = client_;
  EXPECT_DROP(
      icmp_out_of_window,
      burst(kClientLink, {error(kClientLink, client_.ip, kVip.ip, tcp_frame(never), 3, 3)}));
  EXPECT_EQ(name_of(state()), "syn_sent");
  from_backend(outbound(kSynAck, 5000, 1001));
  const Sent syn_ack = only(kClientLink);
  burst(kClientLink, {error(kClientLink, client_.ip, kVip.ip, syn_ack.frame, 3, 3)});
  EXPECT_EQ(sent.size(), 1u) << "the SYN-ACK is in flight";
  sent.clear();
  EXPECT_DROP(icmp_out_of_window,
              burst(kBackendLink, {error(kBackendLink, kBackend.ip, local_.ip, syn.frame, 3, 3)}));
  EXPECT_EQ(name_of(state()), "syn_received");
  from_client(inbound(kAck, 1001, 5001));
  Sent ack = only(kBackendLink);
  for (const uint32_t wrong : {1000u, 1002u, 0x80000000u}) {
    const Bytes frame = guess(ack.frame, wrong);
    EXPECT_DROP(icmp_out_of_window,
                burst(kBackendLink, {error(kBackendLink, kBackend.ip, local_.ip, frame, 3, 4)}));
  }
  expect_nothing();
  EXPECT_EQ(name_of(state()), "established");
  EXPECT_EQ(backend().refused.value(), 0u);
}

}  // namespace
}  // namespace sluice::test
