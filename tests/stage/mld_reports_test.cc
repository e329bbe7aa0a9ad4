// SPDX-License-Identifier: BSD-3-Clause
// Our IPv6 addresses are looked for, announced, and their groups reported: when, how often, how
// many at a time.
#include "dataplane/stage/mld_reports.h"

#include <set>

#include "tests/stage/discovery_stage.h"

namespace sluice::test {
namespace {

constexpr size_t kTypeAt = kIpAt + 40, kReportTypeAt = kIpAt + 48;

bool is_report(const Sent& s) {
  return s.frame[kIpAt + 6] == 0 && s.frame[kReportTypeAt] == 143;
}
bool is_dad(const Sent& s) {
  return s.frame[kIpAt + 6] == net::kProtocolIcmpv6 && s.frame[kTypeAt] == 135 &&
         slice(s.frame, kIpAt + 8, kIpAt + 24) == Bytes(16);
}
bool is_announcement(const Sent& s) {
  return s.frame[kIpAt + 6] == net::kProtocolIcmpv6 && s.frame[kTypeAt] == 136 &&
         slice(s.frame, kIpAt + 24, kIpAt + 40) == bytes_of(net::kAllNodes);
}

/// A group of a report, and what is said of it.
struct Record {
  uint8_t type;
  Bytes group;
};
std::vector<Record> records_of(const Sent& s) {
  std::vector<Record> records;
  for (size_t at = kReportTypeAt + 8; at + 20 <= s.frame.size(); at += 20) {
    records.push_back({s.frame[at], slice(s.frame, at + 4, at + 20)});
  }
  EXPECT_EQ(records.size(), get16(s.frame, kReportTypeAt + 6));
  return records;
}
Bytes group_of(const net::Ipv6Address& ip) {
  return bytes_of(net::solicited_node_multicast(ip));
}

class LinkSide : public DiscoveryStage {
 protected:
  void SetUp() override {
    start();
    adopt(make_snapshot6());
  }
  /// Takes what left of a kind on a link, and lets the others go.
  template <class Kind>
  std::vector<Sent> take(Kind is_kind, uint16_t link) {
    std::vector<Sent> found = std::exchange(sent, {});
    std::erase_if(found, [&](const Sent& s) { return s.port != link || !is_kind(s); });
    return found;
  }
  Bytes query(const net::Ipv6Address& group, uint16_t response_ms) const {
    const net::Ipv6Address source = ip6({0xfe80, 0, 0, 0, 0, 0, 0, 9});
    const net::Ipv6Address to = net::is_unspecified(group) ? net::kAllNodes : group;
    const Bytes message = icmp6(source, to, 130, 0, uint32_t{response_ms} << 16,
                                bytes_of(group) + Bytes{2, 125, 0, 0});
    return ethernet_header(net::multicast_mac(to), mac(9), 0x86dd) +
           ip6_packet({.source = source, .destination = to, .next_header = 0, .hop_limit = 1},
                      Bytes{net::kProtocolIcmpv6, 0, 5, 2, 0, 0, 1, 0} + message);
  }
  /// When reports left on the backends' link within so long, from now on.
  std::vector<uint64_t> report_times(uint64_t ms) {
    std::vector<uint64_t> times;
    const uint64_t begin_ms = core->now_ms;
    while (core->now_ms < begin_ms + ms) {
      pass(10);
      const size_t count = take(is_report, kBackendLink).size();
      times.insert(times.end(), count, core->now_ms - begin_ms);
    }
    return times;
  }
  void settle() {
    pass(5000);
    sent.clear();
  }
};

// RFC 4862, section 5.4: once, from ::; and RFC 4861, section 7.2.6: three times, a second apart.
TEST_F(LinkSide, AddressesAreLookedForAndThenAnnounced) {
  const std::vector<net::Ipv6Address> ours = {link_local(kBackendLink), kBackendSide6, kLocal6};
  pass(20);
  const std::vector<Sent> looked_for = take(is_dad, kBackendLink);
  ASSERT_EQ(looked_for.size(), ours.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(looked_for[i].frame, nd_frame(dad(ours[i], link_mac(kBackendLink))));
  }
  for (uint32_t round = 0; round < Announcements::kRounds; ++round) {
    pass(950);
    EXPECT_TRUE(take(is_announcement, kBackendLink).empty()) << "not sooner";
    pass(50);
    const std::vector<Sent> told = take(is_announcement, kBackendLink);
    ASSERT_EQ(told.size(), ours.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(told[i].frame, nd_frame(announcement(ours[i], link_mac(kBackendLink))));
    }
  }
  pass(5000);
  std::erase_if(sent, [](const Sent& s) { return !is_announcement(s) && !is_dad(s); });
  expect_nothing();
  EXPECT_EQ(events(Event::nd_announcements_sent),
            Announcements::kRounds * (ours.size() + 2u));  // two on the clients' link
}

TEST_F(LinkSide, AgainWhenALinkComesUp) {
  settle();
  auto next = make_snapshot6();
  next->network_generation = core->network_generation;  // nothing else has changed
  next->interfaces[kBackendLink].link_ups = 1;
  next->seal();
  adopt(std::move(next));
  ASSERT_FALSE(sent.empty());
  const auto kind_at = [&](auto is_kind) { return std::ranges::find_if(sent, is_kind); };
  EXPECT_LT(kind_at(is_report), kind_at(is_dad)) << "where switches snoop, nobody else hears";
  for (const Sent& s : sent) EXPECT_EQ(s.port, kBackendLink);
  EXPECT_EQ(take(is_dad, kBackendLink).size(), 3u);
}

TEST_F(LinkSide, GroupsAreJoinedTwice) {
  std::vector<Sent> reports = take(is_report, kBackendLink);
  for (uint64_t t = 0; t < 2000; t += 10) {
    pass(10);
    const auto more = take(is_report, kBackendLink);
    reports.insert(reports.end(), more.begin(), more.end());
  }
  ASSERT_EQ(reports.size(), MldReports::kJoins);
  for (const Sent& s : reports) {
    std::set<Bytes> groups;
    for (const Record& record : records_of(s)) {
      EXPECT_EQ(record.type, 4) << "CHANGE_TO_EXCLUDE_MODE";
      EXPECT_TRUE(groups.insert(record.group).second) << "each once";
    }
    EXPECT_EQ(groups, (std::set<Bytes>{group_of(link_local(kBackendLink)), group_of(kBackendSide6),
                                       group_of(kLocal6)}));
    EXPECT_EQ(slice(s.frame, kIpAt + 8, kIpAt + 24), bytes_of(link_local(kBackendLink)));
    EXPECT_EQ(s.to_mac(), net::multicast_mac(net::kAllMldv2Routers));
  }
}

TEST_F(LinkSide, OnceAMinuteUnasked) {
  settle();
  const std::vector<uint64_t> times = report_times(4 * MldReports::kUnaskedMs);
  ASSERT_EQ(times.size(), 4u);
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_NEAR(times[i] - times[i - 1], MldReports::kUnaskedMs, 30);
  }
}

TEST_F(LinkSide, QueriesAreAnsweredInTime) {
  settle();
  std::set<uint64_t> delays;
  for (int i = 0; i < 5; ++i) {
    burst(kBackendLink, {query({}, 1000)});
    expect_nothing();
    const std::vector<uint64_t> times = report_times(1500);
    ASSERT_EQ(times.size(), 1u);
    EXPECT_LE(times[0], 1020u);
    delays.insert(times[0]);
  }
  EXPECT_GT(delays.size(), 1u) << "not all listeners at once";
  burst(kBackendLink, {query(net::solicited_node_multicast(kLocal6), 100)});
  pass(120);
  const std::vector<Sent> of_one = take(is_report, kBackendLink);
  ASSERT_EQ(of_one.size(), 1u);
  const std::vector<Record> records = records_of(of_one[0]);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].type, 2) << "MODE_IS_EXCLUDE";
  EXPECT_EQ(records[0].group, group_of(kLocal6));
  burst(kBackendLink, {query(net::solicited_node_multicast(ip6(2, 0x99)), 100)});
  EXPECT_TRUE(report_times(1000).empty()) << "nobody's group here";
}

TEST_F(LinkSide, AFloodOfQueriesIsAnsweredOnceASecond) {
  settle();
  const uint64_t before = events(Event::mld_reports_sent);
  for (int i = 0; i < 5000; ++i) {
    burst(kBackendLink, {query({}, 1)});
    pass(1, 1);
    sent.clear();
  }
  EXPECT_LE(events(Event::mld_reports_sent) - before, 6u);
}

TEST_F(LinkSide, QueriesThatAreNotValidAreDropped) {
  settle();
  Bytes far = query({}, 100);
  far[kIpAt + 7] = 2;
  EXPECT_DROP(nd_bad, burst(kBackendLink, {far}));
  Bytes wrong_sum = query({}, 100);
  wrong_sum[kReportTypeAt + 2] ^= 1;
  EXPECT_DROP(nd_bad, burst(kBackendLink, {wrong_sum}));
  Bytes unalerted = query({}, 100);
  unalerted[kIpAt + 42] = 1;  // PadN
  EXPECT_DROP(nd_bad, burst(kBackendLink, {unalerted}));
  EXPECT_TRUE(report_times(1000).empty());
}

TEST_F(LinkSide, TenThousandAddressesInNoBurst) {
  settle();
  auto many = make_snapshot6();
  constexpr uint32_t kCount = 10'000;
  for (uint32_t i = 0; i < kCount; ++i) {
    many->v6.own_everywhere.push_back(ip6({0xfd00, 2, 0, 0, 0, 0, 1, static_cast<uint16_t>(i)}));
  }
  many->seal();
  adopt(std::move(many));
  std::set<Bytes> groups, looked_for, announced;
  for (const uint64_t end = core->now_ms + 12'000; core->now_ms < end;) {
    EXPECT_LE(sent.size(), 100u);
    for (const Sent& s : std::exchange(sent, {})) {
      if (s.port != kBackendLink) continue;
      if (is_report(s)) {
        for (const Record& record : records_of(s)) groups.insert(record.group);
      } else if (is_dad(s)) {
        looked_for.insert(slice(s.frame, kTypeAt + 8, kTypeAt + 24));
      } else if (is_announcement(s)) {
        announced.insert(slice(s.frame, kTypeAt + 8, kTypeAt + 24));
      }
    }
    pass(8);
  }
  sent.clear();
  EXPECT_EQ(groups.size(), kCount + 3);
  EXPECT_EQ(looked_for.size(), kCount + 3);
  EXPECT_EQ(announced.size(), kCount + 3);
}

}  // namespace
}  // namespace sluice::test
