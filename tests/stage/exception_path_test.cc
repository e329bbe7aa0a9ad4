// SPDX-License-Identifier: BSD-3-Clause
// What goes to the host's kernel, what does not, and what is too much.
#include "dataplane/stage/exception_path.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

const net::Ipv4Address kOurs = ip4(10, 1, 255, 254);  // the client side's address
const net::Ipv4Address kHost = ip4(10, 1, 0, 9);

class ExceptionPath : public Stage {
 protected:
  void start_with_door(uint16_t interface = kClientLink) {
    start();
    static int number = 0;
    door_ = std::make_unique<KernelRings>("door-" + std::to_string(number++), SOCKET_ID_ANY);
    core->kernel_rings[interface] = door_.get();
  }
  void TearDown() override {
    expect_nothing();
    if (core) core->kernel_rings = {};
    door_.reset();
    Stage::TearDown();
  }

  // Takes everything out on the control thread's side.
  std::vector<Bytes> collected() {
    std::vector<Bytes> frames;
    rte_mbuf* packet;
    while (door_->collect(&packet, 1) == 1) {
      const auto* data = rte_pktmbuf_mtod(packet, const uint8_t*);
      frames.emplace_back(data, data + packet->data_len);
      rte_pktmbuf_free(packet);
    }
    return frames;
  }
  void expect_through(const Bytes& frame, uint16_t interface = kClientLink) {
    burst(interface, {frame});
    EXPECT_EQ(collected(), std::vector<Bytes>{frame});
    expect_nothing();
  }
  Ip to_us() const { return {.source = kHost, .destination = kOurs, .to = mac(1)}; }
  static Bytes udp(const Ip& ip) {
    return udp_frame({.from = endpoint(ip.source, 5353),
                      .to = endpoint(ip.destination, 5353),
                      .payload = Bytes(16),
                      .ip = ip});
  }
  static Bytes gre(Ip ip) {
    ip.protocol = 47;
    return ip_frame(ip, Bytes(16));
  }

  std::unique_ptr<KernelRings> door_;
};

TEST_F(ExceptionPath, WhatIsForTheInterfaceGoesThroughAsItCame) {
  start_with_door();
  Tcp ssh = inbound(kSyn, 1);
  ssh.to = endpoint(kOurs, 22);
  expect_through(tcp_frame(ssh));
  ssh.flags = kAck;
  expect_through(tcp_frame(ssh));
  expect_through(icmp_frame(to_us(), 8, 0, 1, Bytes(8)));
  expect_through(icmp_frame(to_us(), 0, 0, 1, Bytes(8)));
  expect_through(udp(to_us()));
  expect_through(gre(to_us()));
  Ip fragment = to_us();
  fragment.fragment = 0x2000;  // more to come
  expect_through(udp(fragment));
  EXPECT_EQ(events(Event::packets_to_kernel), 7u);
  EXPECT_EQ(events(Event::echo_requests_answered), 0u);
}

TEST_F(ExceptionPath, MulticastAndOtherEtherTypesGoThrough) {
  start_with_door();
  Ip hello = to_us();
  hello.destination = ip4(224, 0, 0, 5);
  hello.to = {{1, 0, 0x5e, 0, 0, 5}};
  expect_through(udp(hello));
  expect_through(gre(hello));
  Bytes lldp(60);
  lldp[0] = 1;
  lldp[12] = 0x88, lldp[13] = 0xcc;
  expect_through(lldp);
}

TEST_F(ExceptionPath, AnErrorAboutTheKernelsOwnConnectionGoesThrough) {
  start_with_door();
  Tcp quoted = outbound(kAck, 1, 1);
  quoted.from = endpoint(kOurs, 40000);
  quoted.to = endpoint(kHost, 179);
  const Bytes sent = tcp_frame(quoted);
  expect_through(
      icmp_frame(to_us(), 3, 1, 0, Bytes(sent.begin() + kIpAt, sent.begin() + kIpAt + 28)));
}

TEST_F(ExceptionPath, WhatIsSluicesStaysSluices) {
  start_with_door();
  establish(1000, 5000);
  collected();  // ARP replies
  EXPECT_DROP(no_flow_inbound, from_client([&] {
                Tcp stray = inbound(kAck, 1);
                stray.from.port = net::be16::from_host(7);
                return stray;
              }()));
  sent.clear();  // its RST
  Ip vip = to_us();
  vip.destination = kVip.ip;
  EXPECT_DROP(protocol_unknown, burst(kClientLink, {gre(vip)}));
  EXPECT_DROP(no_service, burst(kClientLink, {udp(vip)}));
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();  // ICMP
  collected();   // its ARP
  Ip other = to_us();
  other.destination = ip4(10, 1, 0, 77);
  EXPECT_DROP(protocol_unknown, burst(kClientLink, {gre(other)}));
  EXPECT_DROP(ipv4_not_for_us, burst(kClientLink, {udp(other)}));
  Ip elsewhere = to_us();
  elsewhere.to = mac(77);
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {gre(elsewhere)}));
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {udp(elsewhere)}));
  EXPECT_TRUE(collected().empty());
}

TEST_F(ExceptionPath, WithoutADoorAllIsAsBefore) {
  start_with_door(kBackendLink);
  EXPECT_DROP(protocol_unknown, burst(kClientLink, {gre(to_us())}));
  Ip group = to_us();
  group.to = net::kBroadcastMac;
  EXPECT_DROP(mac_not_ours, burst(kClientLink, {udp(group)}));
  EXPECT_DROP(no_service, burst(kClientLink, {udp(to_us())}));
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();  // ICMP
  burst(kClientLink, {icmp_frame(to_us(), 8, 0, 1, Bytes(8))});
  EXPECT_EQ(events(Event::echo_requests_answered), 1u);
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();
  EXPECT_TRUE(collected().empty());
}

TEST_F(ExceptionPath, ArpRepliesAreNewsForBoth) {
  start_with_door();
  answer_arp = false;
  const Bytes reply = arp_frame({.operation = 2,
                                 .sender_mac = host_mac(kHost),
                                 .sender_ip = kHost,
                                 .target_mac = mac(1),
                                 .target_ip = kOurs,
                                 .to = mac(1)});
  expect_through(reply);
  // Requests for our address Sluice answers by itself.
  burst(kClientLink, {arp_frame({.operation = 1,
                                 .sender_mac = host_mac(kHost),
                                 .sender_ip = kHost,
                                 .target_ip = kOurs,
                                 .to = net::kBroadcastMac})});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(get16(sent[0].frame, kIpAt + 6), 2);
  sent.clear();
  EXPECT_TRUE(collected().empty());
}

TEST_F(ExceptionPath, AFloodFillsTheRingAndTheRestIsDropped) {
  start_with_door();
  const Bytes frame = udp(to_us());
  for (unsigned i = 0; i < 2 * KernelRings::kPacketsMax; i += 64) {
    burst(kClientLink, std::vector<Bytes>(64, frame));
  }
  EXPECT_EQ(events(Event::packets_to_kernel), KernelRings::kPacketsMax);
  EXPECT_EQ(drops(net::DropReason::kernel_queue_full), KernelRings::kPacketsMax);
  establish(1000, 5000);  // balanced traffic does not notice
  EXPECT_EQ(collected().size(), KernelRings::kPacketsMax);
}

TEST_F(ExceptionPath, WhatTheKernelSendsLeavesInBursts) {
  start_with_door();
  std::vector<rte_mbuf*> packets(40);
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(packet_pool(), packets.data(), 40), 0);
  for (rte_mbuf* packet : packets) rte_pktmbuf_append(packet, 60);
  EXPECT_EQ(door_->post(packets.data(), 40), 40u);
  EXPECT_EQ(door_->room(), KernelRings::kPacketsMax - 40);
  send_from_kernels(*core);
  core->tx.flush();
  EXPECT_EQ(sent.size(), 32u);
  send_from_kernels(*core);
  core->tx.flush();
  EXPECT_EQ(sent.size(), 40u);
  EXPECT_EQ(sent.back().port, kClientLink);
  EXPECT_EQ(events(Event::packets_from_kernel), 40u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
