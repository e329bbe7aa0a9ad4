// SPDX-License-Identifier: BSD-3-Clause
// MLD: queries read, reports written.
#include "dataplane/net/mld.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::bytes_of;
using test::ip6;

constexpr Ipv6Address kQuerier = ip6({0xfe80, 0, 0, 0, 0, 0, 0, 1});
constexpr Ipv6Address kGroup = ip6({0xff02, 0, 0, 0, 0, 1, 0xff00, 0x1234});

struct QueryRow {
  const char* name;
  uint16_t response_code = 1000;
  Ipv6Address group = {};
  Bytes behind = {2, 125, 0, 0};  // of version 2
  uint8_t hop_limit = 1;
  Ipv6Address source = kQuerier;
  bool has_router_alert = true;
  uint8_t type = 130;
  size_t cut = 0;
};

std::optional<MldQuery> read_query(const QueryRow& row) {
  Bytes query = test::icmp6(row.source, kAllNodes, row.type, 0, uint32_t{row.response_code} << 16,
                            bytes_of(row.group) + row.behind);
  query.resize(query.size() - row.cut);
  return read_mld_query(Bytes(query), row.hop_limit, row.source, row.has_router_alert);
}

TEST(MldQueries, VersionsAndGroups) {
  struct Row {
    QueryRow query;
    uint8_t version;
    bool is_general;
  };
  const Row rows[] = {
      {{.name = "general"}, 2, true},
      {{.name = "of a group", .group = kGroup}, 2, false},
      {{.name = "of a source", .group = kGroup, .behind = Bytes{2, 125, 0, 1} + Bytes(16)},
       2,
       false},
      {{.name = "bytes behind", .behind = Bytes{2, 125, 0, 0} + Bytes(3)}, 2, true},
      {{.name = "version 1", .behind = {}}, 1, true},
      {{.name = "version 1 of a group", .group = kGroup, .behind = {}}, 1, false},
  };
  for (const Row& row : rows) {
    const auto read = read_query(row.query);
    ASSERT_TRUE(read) << row.query.name;
    EXPECT_EQ(read->version, row.version) << row.query.name;
    EXPECT_EQ(read->is_general(), row.is_general) << row.query.name;
    EXPECT_EQ(read->group, row.query.group) << row.query.name;
    EXPECT_EQ(read->response_max_ms, 1000u) << row.query.name;
  }
}

TEST(MldQueries, NotValid) {
  const QueryRow rows[] = {
      {.name = "hop limit", .hop_limit = 255},
      {.name = "no router alert", .has_router_alert = false},
      {.name = "not from the link", .source = ip6(1, 1)},
      {.name = "from ::", .source = {}},
      {.name = "a report", .type = 131},
      {.name = "group is none", .group = ip6(1, 1)},
      {.name = "cut", .behind = {}, .cut = 1},
      {.name = "between the versions", .cut = 1},
      {.name = "behind version 1", .cut = 3},
      {.name = "source cut off", .behind = Bytes{2, 125, 0, 1} + Bytes(15)},
      {.name = "many sources, none there", .behind = {2, 125, 0xff, 0xff}},
      {.name = "nothing", .behind = {}, .cut = 24},
  };
  for (const QueryRow& row : rows) EXPECT_FALSE(read_query(row)) << row.name;
}

TEST(MldQueries, ResponseDelays) {  // RFC 3810, section 5.1.3
  struct Row {
    uint16_t code;
    uint32_t ms;
  };
  for (const Row& row : {Row{0, 0}, Row{0x7fff, 32767}, Row{0x8000, 32768}, Row{0x8001, 32776},
                         Row{0x9000, 65536}, Row{0xffff, 0x1fff << 10}}) {
    EXPECT_EQ(read_query({.name = "2", .response_code = row.code})->response_max_ms, row.ms);
    EXPECT_EQ(read_query({.name = "1", .response_code = row.code, .behind = {}})->response_max_ms,
              row.code);
  }
}

TEST(MldReports, GroupsThatAreReported) {
  EXPECT_TRUE(is_mld_reported(kGroup));
  EXPECT_TRUE(is_mld_reported(ip6({0xff15, 0, 0, 0, 0, 0, 0, 9})));
  EXPECT_FALSE(is_mld_reported(kAllNodes));
  EXPECT_FALSE(is_mld_reported(ip6({0xff01, 0, 0, 0, 0, 0, 0, 9})));
  EXPECT_FALSE(is_mld_reported(ip6({0xff00, 0, 0, 0, 0, 0, 0, 9})));
  EXPECT_FALSE(is_mld_reported(ip6(1, 1)));
}

TEST(MldReports, HowManyGroupsFit) {
  EXPECT_EQ(mld_report_groups_max(1500), 72);
  EXPECT_EQ(mld_report_groups_max(76), 1);
  EXPECT_EQ(mld_report_groups_max(75), 0);
  EXPECT_EQ(mld_report_groups_max(0), 0);
  EXPECT_EQ(mld_report_frame_length(72), 14 + 56 + 72 * 20);
}

TEST(MldReports, AsWritten) {
  const MacAddress ours = test::mac(1), to{{0x33, 0x33, 0, 0, 0, 0x16}};
  const Ipv6Address routers = ip6({0xff02, 0, 0, 0, 0, 0, 0, 0x16});
  for (const Ipv6Address& source : {kQuerier, kUnspecifiedIpv6}) {
    for (const size_t count : {1, 3, 72}) {
      std::vector<Ipv6Address> groups;
      Bytes records;
      for (size_t i = 0; i < count; ++i) {
        groups.push_back(kGroup);
        groups.back().bytes[15] = static_cast<uint8_t>(i);
        records = records + Bytes{4, 0, 0, 0} + bytes_of(groups.back());
      }
      const Bytes report =
          test::icmp6(source, routers, 143, 0, static_cast<uint32_t>(count), records);
      const Bytes wanted =
          test::ethernet_header(to, ours, 0x86dd) +
          test::ip6_packet(
              {.source = source, .destination = routers, .next_header = 0, .hop_limit = 1},
              Bytes{58, 0, 5, 2, 0, 0, 1, 0} + report);
      Bytes frame(mld_report_frame_length(count), 0xee);
      EXPECT_EQ(write_mld_report(frame, ours, source, MldRecordType::kJoin, groups), frame.size());
      EXPECT_EQ(frame, wanted) << count;
    }
  }
}

TEST(MldReports, OtherRecords) {
  const Ipv6Address groups[] = {kGroup};
  Bytes frame(mld_report_frame_length(1));
  write_mld_report(frame, test::mac(1), kQuerier, MldRecordType::kListening, groups);
  EXPECT_EQ(frame[70], 2);
  write_mld_report(frame, test::mac(1), kQuerier, MldRecordType::kLeave, groups);
  EXPECT_EQ(frame[70], 3);
}

}  // namespace
}  // namespace sluice::net
