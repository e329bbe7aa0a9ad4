// SPDX-License-Identifier: BSD-3-Clause
// What is for none of our addresses: dropped, the kernel's, or routed on as a router does it, and
// service traffic beside it as ever.
#include "dataplane/stage/unmatched.h"

#include "tests/stage/fragment_stage.h"

namespace sluice::test {
namespace {

constexpr net::Ipv4Address kFar = ip4(10, 2, 0, 77);   // on the backends' link
constexpr net::Ipv4Address kNear = ip4(10, 1, 0, 66);  // on the clients'

class Forwarding : public FragmentStage {
 protected:
  void start_forwarding(const Scene& scene = {}, Unmatched first = Unmatched::kForward) {
    start(scene);
    auto next = make_snapshot(scene);
    next->interfaces[kClientLink].unmatched = first;
    next->interfaces[kBackendLink].unmatched = Unmatched::kForward;
    adopt(std::move(next));
    sent.clear();
  }
  static Ip through(uint16_t fragment = 0) {
    return {.source = kNear, .destination = kFar, .fragment = fragment, .to = mac(1)};
  }
  static Udp datagram_through(size_t size, uint16_t fragment = 0) {
    return {.from = endpoint(kNear, 1234),
            .to = endpoint(kFar, 5678),
            .payload = payload(size),
            .ip = through(fragment)};
  }
  /// What a router makes of a frame.
  static Bytes one_hop_on(Bytes frame) {
    --frame[kIpAt + 8];
    fix_ip_checksum(frame);
    return slice(frame, kIpAt, frame.size());
  }
  void expect_through(const Bytes& frame) {
    burst(kClientLink, {frame});
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, kBackendLink);
    EXPECT_EQ(sent[0].to_mac(), host_mac(kFar));
    if (!families_.any()) {
      EXPECT_EQ(slice(sent[0].frame, kIpAt, sent[0].frame.size()), one_hop_on(frame));
    }
    sent.clear();
  }
  /// Takes the only frame, an ICMP error to the near host.
  void expect_error(uint8_t type, uint8_t code) {
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, kClientLink);
    EXPECT_EQ(sent[0].to().ip, kNear);
    EXPECT_EQ(sent[0].from().ip, ip4(10, 1, 255, 254)) << "from the link that it came by";
    EXPECT_EQ(get16(sent[0].frame, kTcpAt), type << 8 | code);
    sent.clear();
  }
};

TEST_F(Forwarding, WhateverItIsItGoesOnWithOneHopLess) {
  if (families_.any()) return;
  start_forwarding();
  expect_through(udp_frame(datagram_through(100)));
  expect_through(
      tcp_frame({.from = endpoint(kNear, 1), .to = endpoint(kFar, 80), .ip = through()}));
  expect_through(tcp_frame(
      {.from = endpoint(kNear, 1), .to = endpoint(kFar, 80), .flags = 0, .ip = through()}));
  expect_through(icmp_frame(through(), 8, 0, 1, payload(50)));
  Ip gre = through();
  gre.protocol = 47;
  expect_through(ip_frame(gre, payload(60)));
  Ip with_options = through();
  with_options.options = option::nop(8);
  expect_through(ip_frame(with_options, payload(60)));
  for (const Bytes& piece : pieces_of(udp_frame(datagram_through(1000)), 400)) {
    expect_through(piece);
  }
  EXPECT_EQ(events(Event::packets_forwarded), 9u);
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Forwarding, BothWaysAndBesideService) {
  if (families_.v6_clients != families_.v6_backends) return;
  start_forwarding();
  establish(1000, 5000);
  burst(kClientLink, {udp_frame(datagram_through(100))});
  EXPECT_EQ(only_datagram(kBackendLink).to(), endpoint(kFar, 5678));
  Udp back = datagram_through(100);
  std::swap(back.from, back.to);
  back.ip.to = mac(2);
  burst(kBackendLink, {udp_frame(back)});
  EXPECT_EQ(only_datagram(kClientLink).to(), endpoint(kNear, 1234));
  Stage::from_client(inbound(kAck, 1001, 5001));
  only(kBackendLink);
}

TEST_F(Forwarding, PaddingOfAShortFrameIsLeftBehind) {
  if (families_.any()) return;
  start_forwarding();
  const Bytes frame = udp_frame(datagram_through(4));
  burst(kClientLink, {frame + Bytes(14, 0xee)});
  EXPECT_EQ(only_datagram(kBackendLink).frame.size(), frame.size());
}

TEST_F(Forwarding, WhatIsTooLargeIsCutOrTold) {
  if (families_.v6_clients != families_.v6_backends) return;
  start_forwarding({.backend_mtu = 1300});
  if (!families_.any()) {
    burst(kClientLink, {udp_frame(datagram_through(1400))});
    EXPECT_EQ(sent.size(), 2u);
    EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(1400));
    // A piece that has to be cut once more.
    burst(kClientLink, pieces_of(udp_frame(datagram_through(2800)), 1400));
    EXPECT_EQ(sent.size(), 5u);
    EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(2800));
  }
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {udp_frame(datagram_through(1400, 0x4000))}));
  expect_error(3, 4);
  EXPECT_EQ(events(Event::fragmentation_needed_sent), 1u);
}

TEST_F(Forwarding, SendersHearOfItsEnd) {
  if (families_.v6_clients != families_.v6_backends) return;
  start_forwarding();
  Udp last = datagram_through(10);
  last.ip.ttl = 1;
  burst(kClientLink, {udp_frame(last)});
  expect_error(11, 0);
  Udp lost = datagram_through(10);
  lost.to.ip = ip4(192, 0, 2, 1);
  EXPECT_DROP(forward_no_route, burst(kClientLink, {udp_frame(lost)}));
  expect_error(3, families_.any() ? 1 : 0);  // IPv6's "no route", as the families' tests read it
  EXPECT_EQ(events(Event::no_route_sent), 1u);
  // Nobody is told of what may be an error, or of a fragment that is not the first.
  if (families_.any()) return;
  const Bytes frame = udp_frame(lost);
  EXPECT_DROP(forward_no_route, burst(kClientLink, {piece_of(frame, 8, 8, false)}));
  Ip error = through();
  error.destination = lost.to.ip;
  EXPECT_DROP(forward_no_route,
              burst(kClientLink, {icmp_frame(error, 3, 3, 0, slice(frame, kIpAt, kIpAt + 28))}));
  expect_nothing();
}

TEST_F(Forwarding, WhatStaysOnItsLinkStays) {
  if (families_.any()) return;
  start_forwarding();
  for (const net::Ipv4Address to : {ip4(169, 254, 1, 1), ip4(224, 0, 0, 9), ip4(10, 2, 0, 255),
                                    ip4(10, 2, 0, 254), ip4(255, 255, 255, 255)}) {
    Udp datagram = datagram_through(10);
    datagram.to.ip = to;
    EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {udp_frame(datagram)}));
  }
  Udp forged = datagram_through(10);
  forged.from.ip = kVip.ip;
  EXPECT_DROP(ipv4_source_bad, burst(kClientLink, {udp_frame(forged)}));
  forged.from.ip = kBackend.ip;
  EXPECT_DROP(ipv4_source_misplaced, burst(kClientLink, {udp_frame(forged)}));
  forged.from.ip = ip4(169, 254, 3, 3);
  EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {udp_frame(forged)}));
  expect_nothing();
}

TEST_F(Forwarding, FramesToOthersMacsAreNotOurs) {
  if (families_.any()) return;
  start_forwarding();
  Udp datagram = datagram_through(10);
  datagram.ip.to = mac(7);
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {udp_frame(datagram)}));
  datagram.ip.protocol = 47;
  Ip gre = datagram.ip;
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {ip_frame(gre, payload(40))}));
  expect_nothing();
}

TEST_F(Forwarding, DropIsWhatItWas) {
  if (families_.any()) return;
  start_forwarding({}, Unmatched::kDrop);
  EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {udp_frame(datagram_through(10))}));
  EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {icmp_frame(through(), 8, 0, 1, payload(9))}));
  Ip gre = through();
  gre.protocol = 47;
  EXPECT_DROP(protocol_unknown, burst(kClientLink, {ip_frame(gre, payload(40))}));
  expect_nothing();
}

TEST_F(Forwarding, OrTheKernelHasIt) {
  if (families_.any()) return;
  start_forwarding({}, Unmatched::kKernel);
  KernelRings rings("unmatched", SOCKET_ID_ANY);
  core->kernel_rings[kClientLink] = &rings;
  Ip gre = through();
  gre.protocol = 47;
  burst(kClientLink,
        {udp_frame(datagram_through(10)), icmp_frame(through(), 8, 0, 1, payload(9)),
         ip_frame(gre, payload(40)), piece_of(udp_frame(datagram_through(100)), 0, 40, true)});
  EXPECT_EQ(events(Event::packets_to_kernel), 4u);
  rte_mbuf* packet;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(rings.collect(&packet, 1), 1u);
    rte_pktmbuf_free(packet);
  }
  core->kernel_rings = {};
  expect_nothing();
}

}  // namespace
}  // namespace sluice::test
