// SPDX-License-Identifier: BSD-3-Clause
// ARP: answering, asking, waiting, giving up, ageing, and hosts that change their MAC.
#include <utility>

#include "tests/eal/stage.h"

namespace sluice::test {
namespace {

const net::Ipv4Address kRouterSide = ip4(10, 2, 0, 254);
constexpr uint32_t kAsked = 1;  // the backend, before any packet

class Resolution : public Stage {
 protected:
  void start_silent(const Scene& scene = {}) {
    answer_arp = false;
    start(scene);
  }
  void host_answers(net::Ipv4Address ip, net::MacAddress from) {
    burst(kBackendLink, {arp_frame({.operation = 2,
                                    .sender_mac = from,
                                    .sender_ip = ip,
                                    .target_mac = mac(2),
                                    .target_ip = kRouterSide,
                                    .to = mac(2)})});
  }
  /// Takes the only frame, an ARP request for `ip`.
  void expect_request(net::Ipv4Address ip, net::MacAddress to = net::kBroadcastMac) {
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].port, kBackendLink);
    EXPECT_EQ(
        sent[0].frame,
        arp_frame({.sender_mac = mac(2), .sender_ip = kRouterSide, .target_ip = ip, .to = to}));
    sent.clear();
  }
  std::vector<Sent> passing(uint64_t ms) {
    pass(ms);
    return std::exchange(sent, {});
  }
};

TEST_F(Resolution, RequestsForOurAddressesAreAnswered) {
  start_silent();
  struct Row {
    net::Ipv4Address asked;
    uint16_t link;
    bool answered;
  };
  const Row rows[] = {
      {kVip.ip, kClientLink, true},           {kVip.ip, kBackendLink, true},
      {ip4(10, 2, 0, 1), kBackendLink, true}, {ip4(10, 1, 255, 254), kClientLink, true},
      {kRouterSide, kClientLink, false},      {ip4(10, 2, 0, 10), kBackendLink, false},
  };
  for (const Row& row : rows) {
    const net::Ipv4Address asker = row.link == kClientLink ? ip4(10, 1, 0, 1) : ip4(10, 2, 0, 99);
    burst(row.link,
          {arp_frame({.sender_mac = mac(50), .sender_ip = asker, .target_ip = row.asked})});
    ASSERT_EQ(sent.size(), row.answered ? 1u : 0u) << to_string(row.asked);
    if (!row.answered) continue;
    const net::MacAddress ours = mac(static_cast<uint8_t>(row.link + 1));
    EXPECT_EQ(sent[0].frame, arp_frame({.operation = 2,
                                        .sender_mac = ours,
                                        .sender_ip = row.asked,
                                        .target_mac = mac(50),
                                        .target_ip = asker,
                                        .to = mac(50)}));
    sent.clear();
  }
  EXPECT_EQ(events(Event::arp_requests_answered), 4u);
}

TEST_F(Resolution, ProbesForDuplicatesAreAnsweredAndTeachNothing) {
  start_silent();
  burst(kClientLink, {arp_frame({.sender_ip = {}, .target_ip = kVip.ip})});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(get16(sent[0].frame, kIpAt + 6), 2);
  sent.clear();
  EXPECT_EQ(core->next_hops.neighbours().count(), kAsked);
}

TEST_F(Resolution, BackendsAndGatewaysAreAskedForBeforeTheFirstPacket) {
  Scene scene;
  start_silent(scene);
  auto routed = make_snapshot(scene);
  const net::Ipv4Address router = ip4(10, 2, 0, 250);
  routed->routes.push_back({{ip4(172, 16, 0, 0), 12}, router, kBackendLink, kRouterSide});
  routed->services[0].backends[0].address.ip = ip4(10, 2, 0, 99);
  routed->seal();
  adopt(std::move(routed));
  std::erase_if(
      sent, [](const Sent& s) { return get32(s.frame, kIpAt + 14) == get32(s.frame, kIpAt + 24); });
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(get32(sent[0].frame, kIpAt + 24), router.host());
  EXPECT_EQ(get32(sent[1].frame, kIpAt + 24), ip4(10, 2, 0, 99).host());
  sent.clear();
}

TEST_F(Resolution, PacketsWaitForTheAnswerInOrder) {
  start_silent({.ports = {2000, 3999}, .limits = {2048, 64, 2048}});
  for (uint32_t i = 0; i < Neighbours::kWaitingPerNeighbour; ++i, next_client()) {
    from_client(inbound(kSyn, 1000 + i));
    expect_nothing();  // one request is enough
  }
  EXPECT_DROP(neighbour_queue_full, from_client(inbound(kSyn, 1)));
  host_answers(kBackend.ip, mac(10));
  ASSERT_EQ(sent.size(), Neighbours::kWaitingPerNeighbour);
  for (uint32_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(sent[i].sequence(), 1000 + i);
    ASSERT_EQ(sent[i].to_mac(), mac(10));
    ASSERT_TRUE(tcp_checksum_right(sent[i].frame));
  }
  sent.clear();
}

TEST_F(Resolution, AsksAgainThenGivesUpThenForgets) {
  start_silent();  // asked once
  from_client(inbound(kSyn, 1000));
  for (int i = 0; i < Neighbours::kTries - 1; ++i) {
    EXPECT_TRUE(passing(Neighbours::kRetryMs - 50).empty()) << "not sooner";
    pass(70);  // a tick late at most
    expect_request(kBackend.ip);
  }
  passing(Neighbours::kRetryMs + 50);
  EXPECT_EQ(drops(net::DropReason::neighbour_unreachable), 1u) << "what waited";
  EXPECT_EQ(events(Event::arp_requests_sent), 3u + Neighbours::kTries)
      << "after three announcements";
  next_client();
  EXPECT_DROP(neighbour_unreachable, from_client(inbound(kSyn, 2000)));
  expect_nothing();
  passing(Neighbours::kUnreachableMs + 50);
  from_client(inbound(kSyn, 2000));  // sent again, much later: asked anew
  expect_request(kBackend.ip);
  host_answers(kBackend.ip, mac(10));
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();
}

TEST_F(Resolution, UsedNeighboursAreProbedInSilenceAndFoundAgain) {
  start();
  establish(1000, 5000);
  answer_arp = false;
  pass(Neighbours::kReachableMs - 1000);
  from_client(inbound(kAck, 1001, 5001));
  sent.clear();
  pass(1200);
  std::erase_if(sent, [](const Sent& s) { return s.port != kBackendLink; });
  expect_request(kBackend.ip, host_mac(kBackend.ip));  // unicast: it is known
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).to_mac(), host_mac(kBackend.ip)) << "packets go on meanwhile";
  // It does not answer the probes: everyone is asked, and then it answers with another MAC.
  pass(Neighbours::kRetryMs * (Neighbours::kTries + 1));
  bool broadcast = false;
  for (const Sent& s : sent)
    broadcast |= s.port == kBackendLink && s.is_arp() && s.to_mac() == net::kBroadcastMac;
  EXPECT_TRUE(broadcast);
  sent.clear();
  host_answers(kBackend.ip, mac(77));
  sent.clear();
  from_client(inbound(kAck, 1001, 5001));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), mac(77));
  sent.clear();
}

TEST_F(Resolution, AnAnnouncedMacIsTakenOver) {
  start();
  establish(1000, 5000);
  burst(kBackendLink,
        {arp_frame({.sender_mac = mac(66), .sender_ip = kBackend.ip, .target_ip = kBackend.ip})});
  expect_nothing();
  from_client(inbound(kAck, 1001, 5001));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), mac(66));
  sent.clear();
}

TEST_F(Resolution, StrangersTeachNothing) {
  start_silent();
  burst(
      kBackendLink,
      {arp_frame({.sender_ip = ip4(10, 2, 0, 44), .target_ip = ip4(10, 2, 0, 45)})});  // not to us
  burst(kBackendLink,
        {arp_frame({.sender_ip = ip4(8, 8, 8, 8), .target_ip = kVip.ip})});  // on no link
  burst(kBackendLink,
        {arp_frame({.sender_ip = ip4(10, 1, 0, 3), .target_ip = kVip.ip})});  // on the other
  sent.clear();
  EXPECT_EQ(core->next_hops.neighbours().count(), kAsked);
  burst(kBackendLink, {arp_frame({.sender_ip = ip4(10, 2, 0, 44), .target_ip = kVip.ip})});
  sent.clear();
  EXPECT_EQ(core->next_hops.neighbours().count(), kAsked + 1) << "who asks for us will be answered";
}

TEST_F(Resolution, IdleNeighboursAreNotAskedAndForgotten) {
  start();
  establish(1000, 5000);
  close_by_client(1001, 5001);
  answer_arp = false;
  pass(Neighbours::kUnusedMs - 2000, 100);
  EXPECT_TRUE(sent.empty()) << "no probes for nothing";
  EXPECT_EQ(core->next_hops.neighbours().count(), 2u);
  pass(2 * Neighbours::kReachableMs, 100);
  EXPECT_EQ(core->next_hops.neighbours().count(), 0u);
  sent.clear();
}

TEST_F(Resolution, TableFull) {
  start({.limits = {64, 1, 64}});
  open(1000);  // the backend takes the only entry
  EXPECT_DROP(neighbour_table_full, from_backend(outbound(kSynAck, 5000, 1001)));
  expect_nothing();
}

TEST_F(Resolution, RoutersAnswerForWhatIsBehindThem) {
  answer_arp = false;
  Scene scene;
  start(scene);
  auto routed = make_snapshot(scene);
  const net::Ipv4Address router = ip4(10, 1, 0, 250);
  routed->routes.push_back({{ip4(172, 16, 0, 0), 12}, router, 0, ip4(10, 1, 255, 254)});
  routed->seal();
  adopt(std::move(routed));
  sent.clear();  // asked for by now
  client_ = endpoint(ip4(172, 16, 5, 5), 999);
  from_client(inbound(kAck, 1, 1));
  expect_nothing();  // nobody asks for the client itself
  burst(kClientLink, {arp_frame({.operation = 2,
                                 .sender_mac = mac(25),
                                 .sender_ip = router,
                                 .target_mac = mac(1),
                                 .target_ip = ip4(10, 1, 255, 254),
                                 .to = mac(1)})});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), mac(25));
  EXPECT_EQ(sent[0].to(), client_);
  sent.clear();
}

TEST_F(Resolution, AtTheStartTheLinksHearOfOurAddresses) {
  start_silent();
  adopt(make_snapshot({}));
  std::vector<Bytes> wanted;
  const auto announce = [&](uint16_t link, net::Ipv4Address ip) {
    wanted.push_back(arp_frame(
        {.sender_mac = mac(static_cast<uint8_t>(link + 1)), .sender_ip = ip, .target_ip = ip}));
  };
  announce(kClientLink, ip4(10, 1, 255, 254));
  announce(kBackendLink, kRouterSide);
  announce(kBackendLink, ip4(10, 2, 0, 1));  // the VIP is on no link: its router knows where it is
  ASSERT_EQ(sent.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(sent[i].frame, wanted[i]);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
