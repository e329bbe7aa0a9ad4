// SPDX-License-Identifier: BSD-3-Clause
// Neighbour discovery: answering, asking, waiting, giving up, and hosts that change their MAC; what
// neighbour_resolution_test.cc has of ARP.
#include <string>

#include "dataplane/stage/nd_input.h"
#include "tests/stage/discovery_stage.h"

namespace sluice::test {
namespace {

class Discovery : public DiscoveryStage {};

TEST_F(Discovery, SolicitationsForOurAddressesAreAnswered) {
  start6();
  struct Row {
    net::Ipv6Address asked;
    uint16_t link;
    bool answered;
  };
  const Row rows[] = {
      {kVip6, kClientLink, true},
      {kVip6, kBackendLink, true},
      {kLocal6, kBackendLink, true},
      {kClientSide6, kClientLink, true},
      {link_local(kClientLink), kClientLink, true},
      {link_local(kClientLink), kBackendLink, false},
      {kBackendSide6, kClientLink, false},
      {kBackend6, kBackendLink, false},
  };
  uint64_t answered = 0;
  for (const Row& row : rows) {
    for (const bool alone : {false, true}) {
      const net::Ipv6Address asker = row.link == kClientLink ? ip6(1, 0x50) : ip6(2, 0x50);
      Nd asks = solicitation(row.asked, asker);
      if (alone) asks.destination = row.asked, asks.to = link_mac(row.link), asks.option.reset();
      hosts_say(row.link, asks);
      ASSERT_EQ(sent.size(), row.answered ? 1u : 0u) << net::to_string(row.asked);
      if (!row.answered) continue;
      ++answered;
      EXPECT_EQ(sent[0].port, row.link);
      EXPECT_EQ(sent[0].frame,
                nd_frame(advertisement(row.asked, link_mac(row.link), asker, mac(50))));
      sent.clear();
    }
  }
  EXPECT_EQ(events(Event::nd_solicitations_answered), answered);
  EXPECT_EQ(events(Event::nd_consumed), 2 * std::size(rows) - answered);
}

TEST_F(Discovery, WhoeverLooksForADuplicateOfUsIsAnsweredAndNamed) {
  start6();
  hosts_say(kClientLink, dad(kVip6, mac(66)));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].frame, nd_frame(announcement(kVip6, link_mac(kClientLink))));
  sent.clear();
  EXPECT_EQ(events(Event::address_conflicts), 1u);
  const MacConflict& named = core->mac_conflicts.rows()[0];
  EXPECT_TRUE(named.own);
  EXPECT_EQ(named.ip, kVip6);
  EXPECT_EQ(named.claimed, mac(66));
  hosts_say(kClientLink, dad(ip6(1, 0x77), mac(66)));                               // nothing to us
  EXPECT_DROP(nd_bad, hosts_say(kClientLink, dad(kVip6, link_mac(kBackendLink))));  // our own
  expect_nothing();
  EXPECT_EQ(events(Event::address_conflicts), 1u);
}

TEST_F(Discovery, AnAnswerForOurAddressIsNamedAndTakesNothingAway) {
  start6();
  EXPECT_DROP(nd_bad, hosts_say(kClientLink, announcement(kVip6, mac(66))));
  EXPECT_DROP(nd_bad, hosts_say(kBackendLink, advertisement(kLocal6, mac(66), kBackendSide6,
                                                            link_mac(kBackendLink))));
  Nd forged = solicitation(ip6(1, 0x77), kVip6, mac(66));
  EXPECT_DROP(nd_bad, hosts_say(kClientLink, forged));
  EXPECT_EQ(events(Event::address_conflicts), 3u);
  // Our own, come back by the other link.
  EXPECT_DROP(nd_bad, hosts_say(kClientLink, announcement(kVip6, link_mac(kBackendLink))));
  EXPECT_EQ(events(Event::address_conflicts), 3u);
  hosts_say(kClientLink, solicitation(kVip6, ip6(1, 0x50)));
  EXPECT_EQ(sent.size(), 1u) << "it is ours all the same";
  sent.clear();
}

TEST_F(Discovery, WhatIsNotValidIsDropped) {
  start6();
  const Nd good = solicitation(kVip6, ip6(1, 0x50));
  const auto bent = [&](auto bend) {
    Nd nd = good;
    bend(nd);
    return nd_frame(nd);
  };
  Bytes wrong_sum = nd_frame(good);
  wrong_sum[kIpAt + 42] ^= 1;
  // RFC 6980: a fragment header, even of a packet that is whole.
  Bytes fragment = nd_frame(good);
  fragment[kIpAt + 6] = net::next_header::kFragment;
  fragment[kIpAt + 5] = static_cast<uint8_t>(fragment[kIpAt + 5] + 8);
  const Bytes header = {net::kProtocolIcmpv6, 0, 0, 0, 0, 0, 0, 1};
  fragment.insert(fragment.begin() + kIpAt + 40, header.begin(), header.end());
  const std::pair<const char*, Bytes> rows[] = {
      {"hop limit", bent([](Nd& nd) { nd.hop_limit = 254; })},
      {"code", bent([](Nd& nd) { nd.code = 1; })},
      {"checksum", wrong_sum},
      {"fragment", fragment},
      {"a group as target", bent([](Nd& nd) { nd.target = net::kAllNodes; })},
      {"a group's MAC", bent([](Nd& nd) { nd.option = net::kBroadcastMac; })},
      {"no MAC", bent([](Nd& nd) { nd.option = net::MacAddress{}; })},
      {"our MAC", bent([](Nd& nd) { nd.option = link_mac(kClientLink); })},
      {"DAD with a MAC", bent([](Nd& nd) { nd.source = kNobody6; })},
      {"answer without a MAC", bent([](Nd& nd) { nd.type = 136, nd.option = net::MacAddress{}; })},
      {"redirect at a distance", bent([](Nd& nd) { nd.type = 137, nd.hop_limit = 64; })},
  };
  for (const auto& [name, frame] : rows) {
    SCOPED_TRACE(name);
    EXPECT_DROP(nd_bad, burst(kClientLink, {frame}));
    expect_nothing();
  }
}

// RFC 4861, section 8 lets a host ignore redirects; routes are configured.
TEST_F(Discovery, RedirectsAndRoutersChangeNothing) {
  start6();
  backend_answers(mac(10));
  sent.clear();
  for (const uint8_t type : {133, 134, 137}) {
    hosts_say(kBackendLink, {.type = type,
                             .target = kBackend6,
                             .option = mac(66),
                             .source = ip6({0xfe80, 0, 0, 0, 0, 0, 0, 9}),
                             .destination = kBackendSide6,
                             .to = link_mac(kBackendLink)});
  }
  expect_nothing();
  EXPECT_EQ(events(Event::nd_consumed), 4u);
  EXPECT_EQ(way(), mac(10));
}

TEST_F(Discovery, BackendsAndGatewaysAreAskedForBeforeTheFirstPacket) {
  start();
  adopt(make_snapshot6());
  const std::vector<Sent> asked = requests();
  ASSERT_EQ(asked.size(), 2u);
  // The gateway is known by a link-local address alone: on the link of its route, and from ours.
  EXPECT_EQ(asked[0].port, kClientLink);
  EXPECT_EQ(asked[0].frame,
            nd_frame(solicitation(kGateway6, link_local(kClientLink), link_mac(kClientLink))));
  EXPECT_EQ(asked[1].port, kBackendLink);
  EXPECT_EQ(asked[1].frame,
            nd_frame(solicitation(kBackend6, kBackendSide6, link_mac(kBackendLink))));
}

TEST_F(Discovery, PacketsGoToAGatewayThatHasALinkLocalAddress) {
  start6();
  hosts_say(kClientLink,
            advertisement(kGateway6, mac(9), link_local(kClientLink), link_mac(kClientLink)));
  rte_mbuf* packet = core->tx.allocate(100);
  NextHop hop;
  core->send(packet, ip6({0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}), hop);
  flush();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_EQ(sent[0].to_mac(), mac(9));
  sent.clear();
}

TEST_F(Discovery, PacketsWaitForTheAnswerInOrder) {
  start6();
  for (uint16_t i = 0; i < 3; ++i) EXPECT_FALSE(way(static_cast<uint16_t>(100 + i)));
  backend_answers(mac(10));
  ASSERT_EQ(sent.size(), 3u);
  for (uint16_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sent[i].frame.size(), 100u + i);
    EXPECT_EQ(sent[i].to_mac(), mac(10));
  }
  sent.clear();
}

TEST_F(Discovery, AsksAgainThenGivesUp) {
  start6();
  EXPECT_FALSE(way());
  for (int i = 0; i < Neighbours::kTries - 1; ++i) {
    pass(Neighbours::kRetryMs + 20);
    const std::vector<Sent> asked = requests();
    EXPECT_TRUE(std::ranges::any_of(asked, [](const Sent& s) { return s.port == kBackendLink; }));
  }
  pass(Neighbours::kRetryMs + 50);
  EXPECT_EQ(drops(net::DropReason::neighbour_unreachable), 1u) << "what waited";
  sent.clear();
}

TEST_F(Discovery, UsedNeighboursAreProbedInSilence) {
  start6();
  backend_answers(mac(10));
  pass(NextHops::kConfirmMs - 50);
  EXPECT_EQ(way(), mac(10));
  pass(NextHops::kProbeMs);
  std::vector<Sent> asked = requests();
  std::erase_if(asked, [](const Sent& s) { return s.port != kBackendLink; });
  ASSERT_EQ(asked.size(), 1u);
  Nd probe = solicitation(kBackend6, kBackendSide6, link_mac(kBackendLink));
  probe.destination = kBackend6;  // to itself: it is known
  probe.to = mac(10);
  EXPECT_EQ(asked[0].frame, nd_frame(probe));
  EXPECT_EQ(way(), mac(10)) << "packets go on meanwhile";
}

TEST_F(Discovery, StrangersTeachNothing) {
  start6();
  const uint32_t before = core->next_hops6.neighbours().count();
  hosts_say(kBackendLink, solicitation(ip6(2, 0x45), ip6(2, 0x44)));  // not to us
  hosts_say(kBackendLink, solicitation(kVip6, ip6({0x2001, 0xdb8, 0, 0, 0, 0, 0, 1})));
  hosts_say(kBackendLink, solicitation(kVip6, ip6(1, 3)));  // on the other link
  hosts_say(kBackendLink, announcement(ip6(2, 0x44), mac(44)));
  hosts_say(kBackendLink, dad(kVip6));
  EXPECT_EQ(core->next_hops6.neighbours().count(), before);
  hosts_say(kBackendLink, solicitation(kVip6, ip6(2, 0x44)));
  EXPECT_EQ(core->next_hops6.neighbours().count(), before + 1) << "who asks for us is answered";
  sent.clear();
}

// What 20,000 solicitations of one host do.
TEST_F(Discovery, AFloodOfSolicitationsTakesNobodysPlace) {
  start6({.limits = {.flow_count_max = 64, .syn_count_max = 64, .neighbour6_count_max = 256}});
  backend_answers(mac(10));
  EXPECT_EQ(way(), mac(10));
  for (uint32_t i = 0; i < 20'000; ++i) {
    hosts_say(kClientLink, solicitation(kClientSide6, ip6(1, static_cast<uint16_t>(0x1000 + i))));
    sent.clear();
    if (i % 100 == 0) pass(1, 1);
  }
  EXPECT_LE(core->next_hops6.neighbours().count(), 66u);
  EXPECT_EQ(way(), mac(10));
}

TEST_F(Discovery, RoomIsToldBeforeAPacketIsMade) {
  Scene scene;
  scene.backend_mtu = 1400;
  start6(scene);
  const auto room = [&](uint32_t length, const net::Ipv6Address& to) {
    return core->next_hops6.room_for(*core->snapshot, length, to, hop_, core->now_ms,
                                     NextHops6::Share::kStrangers);
  };
  for (const bool known : {false, true}) {
    if (known) backend_answers(mac(10));
    EXPECT_TRUE(room(1414, kBackend6).passed()) << known;
    EXPECT_EQ(room(1415, kBackend6), net::DropReason::mtu_exceeded) << known;
  }
  auto fewer = make_snapshot6(scene);
  fewer->v6.routes.pop_back();
  fewer->seal();
  adopt(std::move(fewer));
  hop_ = {};
  EXPECT_EQ(room(100, ip6(9, 9)), net::DropReason::no_route);
  EXPECT_TRUE(room(1414, kBackend6).passed());
  adopt(make_snapshot6({}));  // a larger MTU
  EXPECT_TRUE(room(1415, kBackend6).passed());
  sent.clear();
}

/// Says that a MAC has the backend's address.
class Claims6 : public Discovery {
 protected:
  void start_known() {
    start6();
    backend_answers(mac(10));
    sent.clear();
  }
  /// The one that is known answers whoever asks it or all.
  void answer_probes() {
    for (const Sent& s : requests()) {
      if (s.port == kBackendLink) backend_answers(mac(10));
    }
  }
  void pass_in_silence(uint64_t ms) {
    for (uint64_t t = 0; t < ms; t += 50) {
      pass(50);
      way();
    }
  }
};

TEST_F(Claims6, AForgedOneCostsNothingWhileTheOldOneAnswers) {
  start_known();
  const uint64_t asked = events(Event::nd_solicitations_sent);
  for (int i = 0; i < 100; ++i) {
    hosts_say(kBackendLink, i % 2 == 0 ? announcement(kBackend6, mac(66))
                                       : solicitation(kVip6, kBackend6, mac(66)));
    answer_probes();
    ASSERT_EQ(way(), mac(10));
    pass(20);
    answer_probes();
  }
  for (int i = 0; i < 50; ++i) {
    pass(20);
    answer_probes();
  }
  EXPECT_EQ(way(), mac(10));
  EXPECT_EQ(events(Event::neighbours_moved), 0u);
  EXPECT_EQ(events(Event::arp_conflicts), 100u);
  EXPECT_LT(events(Event::nd_solicitations_sent) - asked, 60u) << "a flood asks for little";
  EXPECT_EQ(core->mac_conflicts.rows()[0].ip, kBackend6);
  EXPECT_EQ(core->mac_conflicts.rows()[0].claimed, mac(66));
}

TEST_F(Claims6, AFailoverIsTakenWithinASecond) {
  start_known();
  hosts_say(kBackendLink, announcement(kBackend6, mac(66)));
  EXPECT_EQ(way(), mac(10));
  pass_in_silence(1000);
  EXPECT_EQ(way(), mac(66));
  EXPECT_EQ(events(Event::neighbours_moved), 1u);
}

// RFC 4861, section 7.2.5: without the override flag what is known stays, and is asked.
TEST_F(Claims6, OneThatDoesNotOverrideIsABetterOnesSecond) {
  start_known();
  Nd second = advertisement(kBackend6, mac(66), kBackendSide6, link_mac(kBackendLink));
  second.flags = net::nd_flag::kSolicited;
  for (int i = 0; i < 20; ++i) {
    hosts_say(kBackendLink, second);
    answer_probes();
    ASSERT_EQ(way(), mac(10));
    pass(20);
    answer_probes();
  }
  EXPECT_EQ(events(Event::arp_conflicts), 0u) << "a proxy may do that";
  hosts_say(kBackendLink, second);
  for (int i = 0; i < 30; ++i) {
    pass(50);
    // Where everybody is asked, the proxy answers.
    const std::vector<Sent> asked = requests();
    if (std::ranges::any_of(asked, [](const Sent& s) {
          return s.port == kBackendLink && s.to_mac().is_multicast();
        })) {
      hosts_say(kBackendLink, second);
    }
    way();
  }
  EXPECT_EQ(way(), mac(66));
}

// An announcement of the MAC that is known says nothing of whether we reach it.
TEST_F(Claims6, OnlyASolicitedAnswerConfirms) {
  start_known();
  const auto state = [&] {
    const NextHops6::Neighbours& all = core->next_hops6.neighbours();
    return all[all.find(kBackend6, kBackendLink)].state;
  };
  for (int i = 0; i < 50; ++i) {
    way();
    pass(100);
    hosts_say(kBackendLink, announcement(kBackend6, mac(10)));
    hosts_say(kBackendLink, solicitation(kVip6, kBackend6, mac(10)));
    sent.clear();
  }
  EXPECT_EQ(state(), Neighbour::State::kProbing);
  backend_answers(mac(10));
  EXPECT_EQ(state(), Neighbour::State::kReachable);
  sent.clear();
}

TEST_F(Claims6, AnAnswerWithoutAMacConfirmsTheOneThatIsKnown) {
  start6();
  Nd bare = advertisement(kBackend6, mac(10), kBackendSide6, link_mac(kBackendLink));
  bare.option.reset();
  hosts_say(kBackendLink, bare);
  EXPECT_FALSE(way()) << "there is none to know";
  backend_answers(mac(10));
  sent.clear();
  for (uint64_t t = 0; t < 2 * Neighbours::kReachableMs; t += 100) {
    ASSERT_EQ(way(), mac(10));
    pass(100);
    for (const Sent& s : requests()) {
      if (s.port == kBackendLink) hosts_say(kBackendLink, bare);
    }
  }
}

TEST_F(Claims6, APinnedNextHopIsNotMoved) {
  start();
  auto pinned = make_snapshot6();
  pinned->interfaces[kBackendLink].v6.pinned = {{kBackend6, mac(55)}};
  adopt(std::move(pinned));
  sent.clear();
  EXPECT_EQ(way(), mac(55));
  hosts_say(kBackendLink, announcement(kBackend6, mac(66)));
  pass_in_silence(2000);
  EXPECT_EQ(way(), mac(55));
  EXPECT_EQ(events(Event::arp_conflicts), 1u);
}

class DiscoveryNews : public Discovery {
 protected:
  void TearDown() override {
    if (core) core->kernel_rings = {};
    door_.reset();
    Stage::TearDown();
  }
  bool goes_to_kernel(const Nd& nd) {
    burst(kClientLink, {nd_frame(nd)});
    rte_mbuf* packet = nullptr;
    if (door_->collect(&packet, 1) != 1) return false;
    rte_pktmbuf_free(packet);
    return true;
  }
  std::unique_ptr<KernelRings> door_;
  std::unique_ptr<Rings> rings_;
};

TEST_F(DiscoveryNews, OfAllButWhatSluiceAnswers) {
  start6();
  door_ = std::make_unique<KernelRings>("door-nd", SOCKET_ID_ANY);
  core->kernel_rings[kClientLink] = door_.get();
  EXPECT_TRUE(goes_to_kernel(announcement(ip6(1, 7), mac(7))));
  EXPECT_TRUE(goes_to_kernel(solicitation(ip6(1, 7), ip6(1, 8))));
  EXPECT_TRUE(goes_to_kernel(dad(ip6(1, 7))));
  EXPECT_TRUE(goes_to_kernel({.type = 134,
                              .source = kGateway6,
                              .destination = net::kAllNodes,
                              .to = net::multicast_mac(net::kAllNodes)}));
  expect_nothing();
  EXPECT_FALSE(goes_to_kernel(solicitation(kClientSide6, ip6(1, 8))));
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();
  EXPECT_FALSE(goes_to_kernel(announcement(kClientSide6, mac(66))));
  EXPECT_EQ(events(Event::packets_to_kernel), 4u);
}

TEST_F(DiscoveryNews, OtherWorkersHearWhatConcernsThem) {
  const std::vector<std::optional<RssFunction>> no_rss(2);
  Steering steering(SteeringKind::kHandoff, 2, no_rss, {3, 4});
  rings_ = std::make_unique<Rings>("nd", std::vector<int>{-1, -1});
  start({}, {rings_.get(), &steering, 0});
  adopt(make_snapshot6());
  sent.clear();
  const auto copied = [&](const Nd& nd) {
    const uint64_t before = events(Event::handed_off);
    burst(kBackendLink, {nd_frame(nd)});
    sent.clear();
    return events(Event::handed_off) - before;
  };
  EXPECT_EQ(copied(solicitation(kVip6, ip6(2, 0x44))), 1u);
  EXPECT_EQ(copied(announcement(ip6(2, 0x44), mac(44))), 1u);
  EXPECT_EQ(copied(advertisement(kBackend6, mac(10), kBackendSide6, link_mac(kBackendLink))), 1u);
  EXPECT_EQ(copied(solicitation(ip6(2, 0x45), ip6(2, 0x44))), 0u);
  EXPECT_EQ(copied(advertisement(kBackend6, mac(10), ip6(2, 0x44), mac(44))), 0u)
      << "to another host";
  void* taken;
  while (rte_ring_dequeue(rings_->between(0, 1), &taken) == 0) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(taken));
  }
}

}  // namespace
}  // namespace sluice::test
