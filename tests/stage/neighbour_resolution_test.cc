// SPDX-License-Identifier: BSD-3-Clause
// ARP: answering, asking, waiting, giving up, ageing, and hosts that change their MAC.
#include <utility>

#include "tests/stage/stage.h"

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

// Of a thousand backends a worker takes a few in each iteration, so that no packet waits for all.
TEST_F(Resolution, ManyBackendsAreTakenOverInParts) {
  Scene scene;
  scene.backends = 200;
  scene.limits.neighbour_count_max = 1000;
  start(scene);
  const auto count = [&](Neighbour::Share share) {
    return core->next_hops.neighbours().count(share);
  };
  EXPECT_TRUE(core->next_hops.is_adopting());
  EXPECT_LE(count(Neighbour::Share::kConfigured), 64u);
  for (int i = 0; i < 30; ++i) run_housekeeping(*core);
  EXPECT_FALSE(core->next_hops.is_adopting());
  EXPECT_EQ(count(Neighbour::Share::kConfigured), 200u);
  pass(1000);
  sent.clear();
  scene.backends = 50;
  std::unique_ptr<Snapshot> fewer = make_snapshot(scene);
  adopt_snapshot(*core, *fewer);
  snapshot = std::move(fewer);
  EXPECT_EQ(count(Neighbour::Share::kConfigured), 200u) << "none is lost before all are known";
  for (int i = 0; i < 30; ++i) run_housekeeping(*core);
  EXPECT_FALSE(core->next_hops.is_adopting());
  EXPECT_EQ(count(Neighbour::Share::kConfigured), 50u);
  EXPECT_EQ(count(Neighbour::Share::kFlows), 150u);
  flush();
  sent.clear();
}

// As few, when their link comes up.
TEST_F(Resolution, ManyBackendsAreAskedAgainInParts) {
  constexpr uint32_t kBackends = 200, kInOneIteration = 64;
  Scene scene;
  scene.backends = kBackends;
  scene.limits.neighbour_count_max = 1000;
  start(scene);
  pass(1000);
  const auto asked = [&] {
    const Neighbours& all = core->next_hops.neighbours();
    uint32_t count = 0;
    for (uint32_t i = 0; i < all.capacity(); ++i) {
      count += all[i].state == Neighbour::State::kProbing && all[i].silent_since_ms == core->now_ms;
    }
    return count;
  };
  core->now_ms += 1;
  auto next = make_snapshot(scene);
  next->network_generation = core->network_generation;
  next->interfaces[kBackendLink].link_ups = 1;
  next->seal();
  adopt_snapshot(*core, *next);
  snapshot = std::move(next);
  EXPECT_LE(asked(), kInOneIteration);
  for (int i = 0; i < 8; ++i) run_housekeeping(*core);
  EXPECT_EQ(asked(), kBackends);
  flush();
  sent.clear();
}

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
  routed->v4.routes.push_back({{ip4(172, 16, 0, 0), 12}, router, kBackendLink, kRouterSide});
  routed->services[0].backends[0].address.ip = ip4(10, 2, 0, 99);
  routed->seal();
  adopt(std::move(routed));
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
  EXPECT_EQ(events(Event::arp_requests_sent), 3u * Announcements::kRounds + Neighbours::kTries)
      << "after announcements of three addresses";
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

TEST_F(Resolution, UsedNeighboursAreProbedInSilence) {
  start();
  establish(1000, 5000);
  answer_arp = false;
  pass(2 * NextHops::kConfirmMs);
  from_client(inbound(kAck, 1001, 5001));
  sent.clear();
  pass(NextHops::kConfirmMs - 30);
  std::erase_if(sent, [](const Sent& s) { return s.port != kBackendLink; });
  ASSERT_GE(sent.size(), 1u);
  sent.resize(1, sent.front());
  expect_request(kBackend.ip, host_mac(kBackend.ip));  // unicast: it is known
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).to_mac(), host_mac(kBackend.ip)) << "packets go on meanwhile";
}

TEST_F(Resolution, ASilentNextHopKeepsItsMacForAWhileAndIsThenGivenUp) {
  start();
  establish(1000, 5000);
  answer_arp = false;
  for (int i = 0; i < 290; ++i) {
    pass(100);
    std::erase_if(sent, [](const Sent& s) { return s.is_arp(); });
    from_client(inbound(kAck, 1001, 5001));
    ASSERT_EQ(sent.size(), 1u) << i;
    sent.clear();
  }
  for (int i = 0; i < 50; ++i) {
    pass(100);
    from_client(inbound(kAck, 1001, 5001));
  }
  EXPECT_GT(drops(net::DropReason::neighbour_unreachable), 0u);
  sent.clear();
}

// Its connections pause for less than three seconds.
TEST_F(Resolution, AMacThatChangesWithoutAWordIsFound) {
  start();
  establish(1000, 5000);
  pass(10'000);
  answer_arp = false;
  const uint64_t changed_ms = core->now_ms;
  bool found = false;
  while (!found && core->now_ms < changed_ms + 3'000) {
    pass(50);
    std::erase_if(sent, [](const Sent& s) { return s.port != kBackendLink; });
    for (const Sent& s : std::exchange(sent, {})) {
      if (s.is_arp() && s.to_mac() == net::kBroadcastMac) host_answers(kBackend.ip, mac(77));
    }
    sent.clear();
    from_client(inbound(kAck, 1001, 5001));
    ASSERT_EQ(sent.size(), 1u) << "nothing is held back";
    found = sent[0].to_mac() == mac(77);
    sent.clear();
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(events(Event::neighbours_moved), 1u);
}

/// Says that `mac` has the backend's address.
class Claims : public Resolution {
 protected:
  void claim(net::MacAddress from) {
    burst(kBackendLink,
          {arp_frame({.sender_mac = from, .sender_ip = kBackend.ip, .target_ip = kBackend.ip})});
    std::erase_if(sent, [](const Sent& s) { return s.is_arp(); });
  }
  net::MacAddress way() {
    from_client(inbound(kAck, 1001, 5001));
    EXPECT_EQ(sent.size(), 1u);
    if (sent.empty()) return {};
    const net::MacAddress to = sent[0].to_mac();
    sent.clear();
    return to;
  }
  void wait_a_second() {
    for (int i = 0; i < 10; ++i) {
      pass(100);
      std::erase_if(sent, [](const Sent& s) { return s.is_arp(); });
    }
  }
};

TEST_F(Claims, AForgedOneCostsNothingWhileTheOldOneAnswers) {
  start();
  establish(1000, 5000);
  for (int i = 0; i < 100; ++i) {
    claim(mac(66));
    ASSERT_EQ(way(), host_mac(kBackend.ip));
    pass(20);
    ASSERT_EQ(way(), host_mac(kBackend.ip));
  }
  host_answers(kBackend.ip, mac(66));
  ASSERT_EQ(way(), host_mac(kBackend.ip)) << "an answer to nothing that was asked";
  pass(1000);
  ASSERT_EQ(way(), host_mac(kBackend.ip));
  EXPECT_EQ(events(Event::arp_conflicts), 101u);
  EXPECT_EQ(events(Event::neighbours_moved), 0u);
  EXPECT_LT(events(Event::arp_requests_sent), 60u) << "a flood of them asks for little";
  const MacConflict& named = core->mac_conflicts.rows()[0];
  EXPECT_EQ(named.ip, kBackend.ip);
  EXPECT_EQ(named.known, host_mac(kBackend.ip));
  EXPECT_EQ(named.claimed, mac(66));
  EXPECT_EQ(named.count, 101u);
}

TEST_F(Claims, AFailoverIsTakenWithinASecond) {
  start();
  establish(1000, 5000);
  claim(mac(65));  // a forged one just before locks nobody out
  answer_arp = false;
  claim(mac(66));
  wait_a_second();
  EXPECT_EQ(way(), mac(66));
  EXPECT_EQ(events(Event::neighbours_moved), 1u);
  EXPECT_EQ(events(Event::arp_conflicts), 1u);
}

TEST_F(Claims, WhoAnswersWhenAllAreAskedIsBelieved) {
  start();
  establish(1000, 5000);
  answer_arp = false;
  claim(mac(66));
  pass(2 * NextHops::kContestMs + 50);
  host_answers(kBackend.ip, mac(67));
  sent.clear();
  EXPECT_EQ(way(), mac(67));
}

TEST_F(Claims, APinnedNextHopIsNotMoved) {
  answer_arp = false;
  start();
  auto pinned = make_snapshot({});
  pinned->interfaces[kBackendLink].v4.pinned = {{kBackend.ip, mac(55)}};
  adopt(std::move(pinned));
  from_client(inbound(kSyn, 1000));
  ASSERT_EQ(sent.size(), 1u) << "nobody is asked";
  EXPECT_EQ(sent[0].to_mac(), mac(55));
  sent.clear();
  claim(mac(66));
  host_answers(kBackend.ip, mac(66));
  wait_a_second();
  next_client();
  from_client(inbound(kSyn, 1000));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), mac(55));
  sent.clear();
  EXPECT_EQ(events(Event::arp_conflicts), 2u);
  adopt(make_snapshot({}));  // and after a reload it is one like any other
  sent.clear();
  claim(mac(66));
  wait_a_second();
  next_client();
  from_client(inbound(kSyn, 1000));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to_mac(), mac(66));
  sent.clear();
}

TEST_F(Resolution, OurOwnAddressAtAnotherMacIsAConflict) {
  start();
  const Bytes forged =
      arp_frame({.sender_mac = mac(66), .sender_ip = kVip.ip, .target_ip = kVip.ip});
  EXPECT_DROP(arp_bad, burst(kClientLink, {forged}));
  EXPECT_EQ(events(Event::address_conflicts), 1u);
  EXPECT_TRUE(core->mac_conflicts.rows()[0].own);
  EXPECT_DROP(
      arp_bad,
      burst(kClientLink,
            {arp_frame({.sender_mac = mac(2), .sender_ip = kVip.ip, .target_ip = kVip.ip})}));
  EXPECT_EQ(events(Event::address_conflicts), 1u) << "our own, come back by the other link";
  EXPECT_DROP(arp_bad, burst(kBackendLink, {arp_frame({.sender_mac = mac(2),
                                                       .sender_ip = kBackend.ip,
                                                       .target_ip = kBackend.ip})}));
  EXPECT_DROP(
      arp_bad,
      burst(kBackendLink,
            {arp_frame({.sender_mac = {}, .sender_ip = kBackend.ip, .target_ip = kBackend.ip})}));
}

// What 20,000 ARP requests of one host do.
TEST_F(Resolution, AFloodOfRequestsTakesNobodysPlace) {
  start({.limits = {64, 256, 64}});
  establish(1000, 5000);
  for (uint32_t i = 0; i < 20'000; ++i) {
    const auto host =
        ip4(10, 1, static_cast<uint8_t>(64 + i / 250), static_cast<uint8_t>(1 + i % 250));
    burst(
        kClientLink,
        {arp_frame({.sender_mac = mac(50), .sender_ip = host, .target_ip = ip4(10, 1, 255, 254)})});
    sent.clear();
    if (i % 100 == 0) pass(1, 1);
  }
  EXPECT_LE(core->next_hops.neighbours().count(), 66u);
  answer_arp = false;
  from_client(inbound(kAck, 1001, 5001));
  EXPECT_EQ(only(kBackendLink).to_mac(), host_mac(kBackend.ip));
  from_backend(outbound(kAck, 5001, 1001));
  EXPECT_EQ(only(kClientLink).to_mac(), host_mac(kClient.ip));
  answer_arp = true;
  client_ = endpoint(ip4(10, 1, 0, 9), 999);
  establish(1, 1);
}

// Spoofed clients of a link's own network: each SYN-ACK asks for a host that is not there.
TEST_F(Resolution, AFloodFromTheLinkAsksForLittle) {
  start({.ports = {2000, 40000}, .limits = {32768, 1024, 64}});
  establish(1000, 5000);
  const net::Ipv4Endpoint real = client_, real_local = local_;
  answer_arp = false;
  const uint64_t before = events(Event::arp_requests_sent);
  for (uint32_t i = 0; i < 10'000; ++i) {
    client_ = endpoint(
        ip4(10, 1, static_cast<uint8_t>(64 + i / 250), static_cast<uint8_t>(1 + i % 250)), 1000);
    open(1000);
    from_backend(outbound(kSynAck, 5000, 1001));
    sent.clear();
    if (i % 20 == 0) pass(1, 1);  // 20,000 a second
    sent.clear();
  }
  const auto& neighbours = core->next_hops.neighbours();
  EXPECT_LE(neighbours.unanswered(kClientLink), 64u);
  EXPECT_LE(events(Event::arp_requests_sent) - before,
            NextHops::kAsksBurst + 500 * NextHops::kAsksPerMs + 20);
  EXPECT_GT(drops(net::DropReason::neighbour_asks_limited), 0u);
  client_ = real;
  local_ = real_local;
  from_backend(outbound(kAck, 5001, 1001));
  EXPECT_EQ(only(kClientLink).to_mac(), host_mac(kClient.ip));
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
  EXPECT_EQ(core->next_hops.neighbours().count(), 1u) << "the backend stays";
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
  routed->v4.routes.push_back({{ip4(172, 16, 0, 0), 12}, router, 0, ip4(10, 1, 255, 254)});
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

}  // namespace
}  // namespace sluice::test
