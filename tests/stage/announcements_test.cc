// SPDX-License-Identifier: BSD-3-Clause
// Our addresses are announced: when, how often, how many at a time.
#include "dataplane/stage/announcements.h"

#include <map>
#include <utility>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Announced : public Stage {
 protected:
  /// Lets time pass, and says when how many announcements left.
  std::vector<size_t> counted(uint64_t ms) {
    std::vector<size_t> counts;
    for (const uint64_t end = core->now_ms + ms; core->now_ms < end;) {
      pass(10);
      std::erase_if(sent, [](const Sent& s) { return !s.is_announcement(); });
      counts.push_back(sent.size());
      all.insert(all.end(), sent.begin(), sent.end());
      sent.clear();
    }
    return counts;
  }
  std::vector<Sent> all;
};

TEST_F(Announced, AtTheStartTheLinksHearOfOurAddresses) {
  start();
  counted(5000);
  answer_arp = false;
  keep_announcements = true;
  adopt(make_snapshot({}));
  std::vector<Bytes> wanted;
  const auto announce = [&](uint16_t link, net::Ipv4Address ip) {
    wanted.push_back(arp_frame(
        {.sender_mac = mac(static_cast<uint8_t>(link + 1)), .sender_ip = ip, .target_ip = ip}));
  };
  announce(kClientLink, ip4(10, 1, 255, 254));
  announce(kBackendLink, ip4(10, 2, 0, 254));
  announce(kBackendLink, ip4(10, 2, 0, 1));  // the VIP is on no link: its router knows where it is
  ASSERT_EQ(sent.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(sent[i].frame, wanted[i]);
  sent.clear();
  counted(950);
  EXPECT_EQ(all.size(), 0u);
  counted(5000);
  ASSERT_EQ(all.size(), 2 * wanted.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].frame, wanted[i % wanted.size()]);
}

TEST_F(Announced, AgainWhenALinkComesUp) {
  start();
  counted(5000);
  answer_arp = false;
  keep_announcements = true;
  all.clear();
  auto next = make_snapshot({});
  next->network_generation = core->network_generation;  // nothing else has changed
  next->interfaces[kBackendLink].link_ups = 1;
  next->seal();
  adopt(std::move(next));
  pass(20);
  bool probed = false;
  for (const Sent& s : std::exchange(sent, {})) {
    EXPECT_EQ(s.port, kBackendLink);
    probed |= s.to_mac() == host_mac(kBackend.ip);
    if (s.is_announcement()) all.push_back(s);
  }
  EXPECT_TRUE(probed) << "is it the same that is behind the link?";
  counted(5000);
  EXPECT_EQ(all.size(), 2 * Announcements::kRounds);
}

TEST_F(Announced, TenThousandWithinTenSecondsAndInNoBurst) {
  start();
  counted(5000);
  answer_arp = false;
  keep_announcements = true;
  all.clear();
  auto many = make_snapshot({});
  for (uint32_t i = 0; i < 10'000; ++i) {
    many->v4.own_everywhere.push_back(net::be32::from_host(ip4(10, 1, 64, 0).host() + i));
  }
  many->seal();
  adopt_snapshot(*core, *many);
  snapshot.swap(many);
  flush();
  std::map<uint32_t, std::vector<uint64_t>> times;
  for (const uint64_t end = core->now_ms + 10'000; core->now_ms < end;) {
    EXPECT_LE(sent.size(), 100u);
    for (const Sent& s : std::exchange(sent, {})) {
      if (s.is_announcement()) times[get32(s.frame, kIpAt + 14)].push_back(core->now_ms);
    }
    pass(8);
  }
  EXPECT_EQ(times.size(), 10'003u);
  for (const auto& [ip, when] : times) {
    ASSERT_EQ(when.size(), Announcements::kRounds);
    for (size_t i = 1; i < when.size(); ++i) ASSERT_GE(when[i] - when[i - 1], 990u);
  }
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
