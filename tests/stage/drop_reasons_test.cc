// SPDX-License-Identifier: BSD-3-Clause
// Each reason for which a stage drops a packet, made to happen. What parse() refuses is proven
// beside it (tests/unit/dataplane/net), what heals, neighbours and refusals drop in their own
// files.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class DropReasons : public Stage {
 protected:
  Bytes broken(Tcp tcp) {
    Bytes frame = tcp_frame(tcp);
    frame[kTcpAt + 16] ^= 0x55;  // the TCP checksum
    return frame;
  }
};

TEST_F(DropReasons, FrameSegmented) {
  start();
  rte_mbuf* head = rte_pktmbuf_alloc(packet_pool());
  rte_mbuf* tail = rte_pktmbuf_alloc(packet_pool());
  rte_pktmbuf_append(head, rte_pktmbuf_tailroom(head));
  rte_pktmbuf_append(tail, 1);
  ASSERT_EQ(rte_pktmbuf_chain(head, tail), 0);
  EXPECT_DROP(frame_segmented, run_burst(*core, kClientLink, &head, 1));
}

TEST_F(DropReasons, MacNotOurs) {
  start();
  Tcp syn = inbound(kSyn, 1);
  for (const net::MacAddress to : {mac(2), mac(77), net::kBroadcastMac}) {
    syn.ip.to = to;
    EXPECT_DROP(mac_not_ours, from_client(syn));
  }
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {arp_frame({.to = mac(77)})}));
  expect_nothing();
}

TEST_F(DropReasons, WhatParseRefusesIsCounted) {
  start();
  EXPECT_DROP(frame_truncated, burst(kClientLink, {Bytes(5)}));
  EXPECT_DROP(ethertype_unknown, burst(kClientLink, {Bytes(60)}));
  EXPECT_DROP(tcp_flags_bad, from_client(inbound(0, 1)));
  expect_nothing();
}

TEST_F(DropReasons, OwnAddressAsSource) {
  start();
  Tcp land = inbound(kSyn, 1);
  land.from = kVip;
  EXPECT_DROP(ipv4_source_bad, from_client(land));
  EXPECT_DROP(arp_bad, burst(kClientLink,
                             {arp_frame({.sender_ip = kVip.ip, .target_ip = ip4(10, 1, 0, 9)})}));
  expect_nothing();
}

TEST_F(DropReasons, PingFromOurOwnAddress) {
  start();
  const Ip ip{.source = kVip.ip, .destination = ip4(10, 1, 255, 254), .to = mac(1)};
  EXPECT_DROP(ipv4_source_bad, burst(kClientLink, {icmp_frame(ip, 8, 0, 1, Bytes(8))}));
  expect_nothing();
}

// RFC 1812, section 5.3.7: what cannot be the source of a packet that comes in here.
TEST_F(DropReasons, SourcesThatCannotBe) {
  start();
  const auto syn_from = [&](net::Ipv4Address source) {
    Tcp syn = inbound(kSyn, 1);
    syn.from.ip = source;
    return syn;
  };
  // Our own, of whatever interface.
  for (const net::Ipv4Address own : {ip4(10, 2, 0, 254), ip4(10, 2, 0, 1), ip4(10, 1, 255, 254)}) {
    EXPECT_DROP(ipv4_source_bad, from_client(syn_from(own)));
  }
  for (const net::Ipv4Address all : {ip4(10, 1, 255, 255), ip4(10, 1, 0, 0), ip4(10, 2, 0, 255)}) {
    EXPECT_DROP(ipv4_source_broadcast, from_client(syn_from(all)));
    const Ip ip{.source = all, .destination = kVip.ip, .to = mac(1)};
    EXPECT_DROP(ipv4_source_broadcast, burst(kClientLink, {icmp_frame(ip, 8, 0, 1, Bytes(8))}));
    EXPECT_DROP(arp_bad, burst(kClientLink, {arp_frame({.sender_ip = all, .target_ip = kVip.ip})}));
  }
  EXPECT_DROP(ipv4_source_misplaced, from_client(syn_from(kBackend.ip)));
  expect_nothing();
}

TEST_F(DropReasons, ABackendsSegmentsFromTheClientsSide) {
  start();
  establish(1000, 5000);
  Tcp forged = outbound(kRst, 5001);
  forged.ip.to = mac(1);
  EXPECT_DROP(ipv4_source_misplaced, from_client(forged));
  expect_nothing();
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(DropReasons, TtlExpired) {
  start();
  Tcp syn = inbound(kSyn, 1);
  syn.ip.ttl = 1;
  EXPECT_DROP(ipv4_ttl_expired, from_client(syn));
  sent.clear();  // time exceeded: see icmp_families_test.cc
  establish(1000, 5000);
  Tcp in = inbound(kAck, 1001, 5001), out = outbound(kAck, 5001, 1001);
  for (const uint8_t ttl : {0, 1}) {
    in.ip.ttl = out.ip.ttl = ttl;
    EXPECT_DROP(ipv4_ttl_expired, from_client(in));
    EXPECT_DROP(ipv4_ttl_expired, from_backend(out));
  }
  EXPECT_EQ(events(Event::time_exceeded_sent), 5u);
  EXPECT_EQ(sent.size(), 4u) << "each is answered, and none passed on";
  sent.clear();
  in.ip.ttl = 2;
  from_client(in);
  EXPECT_EQ(only(kBackendLink).frame[kIpAt + 8], 1);
}

TEST_F(DropReasons, NotForUs) {
  start();
  Tcp syn = inbound(kSyn, 1);
  for (const net::Ipv4Address to : {ip4(10, 1, 0, 77), ip4(10, 2, 0, 254), ip4(8, 8, 8, 8)}) {
    syn.to.ip = to;  // the second is ours, on the other link
    EXPECT_DROP(ipv4_not_for_us, from_client(syn));
  }
  const Ip ip{.destination = ip4(8, 8, 8, 8), .to = mac(1)};
  EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {icmp_frame(ip, 8, 0, 1, {})}));
  expect_nothing();
}

TEST_F(DropReasons, TcpChecksumBad) {
  start();
  local_ = endpoint(ip4(10, 2, 0, 1), 2000);
  EXPECT_DROP(tcp_checksum_bad, burst(kClientLink, {broken(inbound(kSyn, 1))}));
  EXPECT_DROP(tcp_checksum_bad, burst(kClientLink, {broken(inbound(kAck, 1))}));
  EXPECT_DROP(tcp_checksum_bad, burst(kBackendLink, {broken(outbound(kAck, 1))}));
  Tcp elsewhere = inbound(kSyn, 1);
  elsewhere.to.port = net::be16::from_host(81);
  EXPECT_DROP(tcp_checksum_bad, burst(kClientLink, {broken(elsewhere)}));
  open(1000);
  EXPECT_DROP(tcp_checksum_bad, burst(kBackendLink, {broken(outbound(kSynAck, 5000, 1001))}));
  EXPECT_DROP(tcp_checksum_bad, burst(kBackendLink, {broken(outbound(kAck, 5000, 77))}));
  next_client();
  establish(1000, 5000);
  for (const uint8_t flags : {kFin, kRst}) {
    EXPECT_DROP(tcp_checksum_bad, burst(kClientLink, {broken(inbound(flags, 1001, 5001))}));
    EXPECT_DROP(tcp_checksum_bad, burst(kBackendLink, {broken(outbound(flags, 5001, 1001))}));
  }
  EXPECT_DROP(tcp_checksum_bad, burst(kClientLink, {broken(inbound(kSyn, 7))}));
  expect_nothing();
  EXPECT_EQ(name_of(state()), "established");
  burst(kClientLink, {broken(inbound(kAck, 1001, 5001))});
  ASSERT_EQ(sent.size(), 1u) << "data is the receiver's to judge";
  EXPECT_FALSE(tcp_checksum_right(sent[0].frame)) << "and stays as wrong as it was";
  sent.clear();
}

TEST_F(DropReasons, NoService) {
  start();
  for (const net::Ipv4Address to : {kVip.ip, ip4(10, 1, 255, 254)}) {
    Tcp syn = inbound(kSyn, 1000);
    syn.to = endpoint(to, 81);
    EXPECT_DROP(no_service, from_client(syn));
    const Sent answer = only(kClientLink);
    EXPECT_EQ(answer.flags(), kRstAck);
    EXPECT_EQ(answer.from(), syn.to);
    EXPECT_EQ(answer.acknowledgement(), 1001u);
  }
  Tcp reset = inbound(kRst, 1000);
  reset.to.port = net::be16::from_host(81);
  EXPECT_DROP(no_service, from_client(reset));
  expect_nothing();  // a RST is never answered
}

TEST_F(DropReasons, NoFlowInbound) {
  start();
  EXPECT_DROP(no_flow_inbound, from_client(inbound(kAck, 1000, 5000)));
  EXPECT_EQ(only(kClientLink).sequence(), 5000u);
  EXPECT_DROP(no_flow_inbound, from_client(inbound(kSynAck, 1000, 5000)));
  EXPECT_EQ(only(kClientLink).flags(), kRst);
  EXPECT_DROP(no_flow_inbound, from_client(inbound(kRst, 1000)));
  expect_nothing();
}

TEST_F(DropReasons, NoFlowOutbound) {
  start();
  local_ = endpoint(ip4(10, 2, 0, 1), 2000);
  EXPECT_DROP(no_flow_outbound, from_backend(outbound(kAck, 1000, 5000)));
  const Sent answer = only(kBackendLink);
  EXPECT_EQ(answer.flags(), kRst);
  EXPECT_EQ(answer.sequence(), 5000u);
  EXPECT_EQ(answer.from(), local_);
  EXPECT_DROP(no_flow_outbound, from_backend(outbound(kRst, 1000)));
  expect_nothing();
}

TEST_F(DropReasons, RstOutOfWindow) {
  start();
  open(1000);
  EXPECT_DROP(rst_out_of_window, from_client(inbound(kRst, 5)));
  EXPECT_DROP(rst_out_of_window, from_backend(outbound(kRst, 0)));
  EXPECT_DROP(rst_out_of_window, from_backend(outbound(kRstAck, 0, 77)));
  EXPECT_EQ(name_of(state()), "syn_sent");
  next_client();
  establish(1000, 5000);
  EXPECT_DROP(rst_out_of_window, from_client(inbound(kRst, 1000)));
  EXPECT_DROP(rst_out_of_window, from_client(inbound(kRst, 0x80000000)));
  EXPECT_DROP(rst_out_of_window, from_backend(outbound(kRst, 5000)));
  EXPECT_EQ(name_of(state()), "established");
  expect_nothing();
  from_client(inbound(kRst, 2000));  // in the window, not exact: the backend's challenge decides
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(DropReasons, SegmentUnexpected) {
  start();
  open(1000);
  EXPECT_DROP(segment_unexpected, from_client(inbound(kAck, 1001, 1)));
  EXPECT_DROP(segment_unexpected, from_client(inbound(kSynAck, 1001, 1)));
  EXPECT_DROP(segment_unexpected, from_backend(outbound(kSyn, 5000)));
  EXPECT_DROP(segment_unexpected, from_backend(outbound(kAck, 5000, 1001)));
  expect_nothing();
}

TEST_F(DropReasons, StaleAnswerOnceTheHandshakeIsDone) {
  start();
  establish(1000, 5000);
  EXPECT_DROP(stale_answer, from_backend(outbound(kAck, 5001, 0x80000000)));
  expect_nothing();
}

TEST_F(DropReasons, NoRoute) {
  Scene scene;
  start(scene);
  auto next = make_snapshot(scene);
  std::erase_if(next->v4.routes,
                [](const Route& route) { return route.interface == kBackendLink; });
  next->seal();
  adopt(std::move(next));
  sent.clear();
  EXPECT_DROP(no_route, from_client(inbound(kSyn, 1000)));
  expect_nothing();
}

}  // namespace
}  // namespace sluice::test
