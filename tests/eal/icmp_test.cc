// SPDX-License-Identifier: BSD-3-Clause
// ICMP through the stages: echo, and errors about flows both ways.
#include "tests/eal/stage.h"

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

}  // namespace
}  // namespace sluice::test
