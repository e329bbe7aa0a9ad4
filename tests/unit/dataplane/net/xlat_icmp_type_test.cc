// SPDX-License-Identifier: BSD-3-Clause
// Types, codes, MTUs and pointers of ICMP errors in the other family, by the tables of RFC 7915.
#include "dataplane/net/xlat_icmp_type.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace sluice::net {
namespace {

using TypeAndCode = std::pair<int, int>;

TEST(XlatIcmpTypes, Icmp) {  // section 4.2
  std::map<TypeAndCode, IcmpKind> wanted;
  for (const int code : {0, 1, 5, 6, 7, 8, 11, 12}) wanted[{3, code}] = {1, 0};
  for (const int code : {9, 10, 13, 15}) wanted[{3, code}] = {1, 1};
  wanted[{3, 2}] = {4, 1, 6};
  wanted[{3, 3}] = {1, 4};
  wanted[{3, 4}] = {2, 0, 1420};
  for (int code = 0; code < 256; ++code) wanted[{11, code}] = {3, static_cast<uint8_t>(code)};
  for (const int code : {0, 2}) wanted[{12, code}] = {4, 0, 0};
  for (int type = 0; type < 256; ++type) {
    for (int code = 0; code < 256; ++code) {
      const auto found = wanted.find({type, code});
      const auto kind =
          icmp_to_icmpv6({static_cast<uint8_t>(type), static_cast<uint8_t>(code), 1400}, 1500);
      ASSERT_EQ(kind.has_value(), found != wanted.end()) << type << ' ' << code;
      if (kind) {
        ASSERT_EQ(*kind, found->second) << type << ' ' << code;
      }
    }
  }
}

TEST(XlatIcmpTypes, Icmpv6) {  // section 5.2
  std::map<TypeAndCode, IcmpKind> wanted;
  for (const int code : {0, 2, 3}) wanted[{1, code}] = {3, 1};
  wanted[{1, 1}] = {3, 10};
  wanted[{1, 4}] = {3, 3};
  for (int code = 0; code < 256; ++code) wanted[{2, code}] = {3, 4, 1380};
  for (int code = 0; code < 256; ++code) wanted[{3, code}] = {11, static_cast<uint8_t>(code)};
  wanted[{4, 1}] = {3, 2};
  for (int type = 0; type < 256; ++type) {
    for (int code = 0; code < 256; ++code) {
      const auto found = wanted.find({type, code});
      const auto kind =
          icmpv6_to_icmp({static_cast<uint8_t>(type), static_cast<uint8_t>(code), 1400});
      ASSERT_EQ(kind.has_value(), found != wanted.end()) << type << ' ' << code;
      if (kind) {
        ASSERT_EQ(*kind, found->second) << type << ' ' << code;
      }
    }
  }
}

TEST(XlatIcmpTypes, PointersOfIpv4) {  // figure 3
  const std::map<int, uint32_t> wanted = {{0, 0},   {1, 1},   {2, 4},   {3, 4},  {8, 7},
                                          {9, 6},   {12, 8},  {13, 8},  {14, 8}, {15, 8},
                                          {16, 24}, {17, 24}, {18, 24}, {19, 24}};
  for (int pointer = 0; pointer < 256; ++pointer) {
    for (const uint8_t code : {0, 2}) {
      const auto found = wanted.find(pointer);
      const auto kind =
          icmp_to_icmpv6({12, code, static_cast<uint32_t>(pointer) << 24 | 0xffff}, 1500);
      ASSERT_EQ(kind.has_value(), found != wanted.end()) << pointer;
      if (kind) {
        ASSERT_EQ(*kind, (IcmpKind{4, 0, found->second})) << pointer;
      }
    }
  }
}

TEST(XlatIcmpTypes, PointersOfIpv6) {  // figure 6
  for (uint32_t pointer = 0; pointer < 300; ++pointer) {
    const auto kind = icmpv6_to_icmp({4, 0, pointer});
    int wanted = -1;
    if (pointer <= 1) wanted = static_cast<int>(pointer);
    if (pointer == 4 || pointer == 5) wanted = 2;
    if (pointer == 6) wanted = 9;
    if (pointer == 7) wanted = 8;
    if (pointer >= 8 && pointer < 24) wanted = 12;
    if (pointer >= 24 && pointer < 40) wanted = 16;
    ASSERT_EQ(kind.has_value(), wanted >= 0) << pointer;
    if (kind) {
      ASSERT_EQ(*kind, (IcmpKind{12, 0, static_cast<uint32_t>(wanted) << 24})) << pointer;
    }
  }
}

TEST(XlatIcmpTypes, MtusTowardsIpv6) {
  struct Row {
    const char* name;
    uint32_t rest;
    uint16_t quoted_length;
    LinkMtus mtus;
    uint32_t wanted;
  };
  const Row rows[] = {
      {"plain", 1400, 1500, {}, 1420},
      {"the link back is smaller", 1492, 1500, {1500, 1500}, 1500},
      {"so is the way on", 1492, 1500, {1400, 1500}, 1420},
      {"never below 1,280", 576, 1500, {}, 1280},
      {"just 1,280", 1260, 1500, {}, 1280},
      {"just above", 1261, 1500, {}, 1281},
      {"not for a small link either", 1400, 1500, {1500, 600}, 1280},
      {"the largest", 65535, 1500, {}, 65535},
      {"upper bytes are not of it", 0xabcd0000 | 1400, 1500, {}, 1420},
      {"not told", 0, 1500, {}, 1512},
      {"not told, of a large packet", 0, 9000, {}, 8186},
      {"not told, of the largest", 0, 65535, {}, 32020},
      {"not told, at a plateau", 0, 1492, {}, 1280},
      {"not told, of a small packet", 0, 600, {}, 1280},
  };
  for (const Row& row : rows) {
    const auto kind = icmp_to_icmpv6({3, 4, row.rest}, row.quoted_length, row.mtus);
    ASSERT_TRUE(kind) << row.name;
    EXPECT_EQ(*kind, (IcmpKind{2, 0, row.wanted})) << row.name;
  }
}

TEST(XlatIcmpTypes, MtusTowardsIpv4) {
  struct Row {
    const char* name;
    uint32_t rest;
    LinkMtus mtus;
    uint32_t wanted;  // 0: not passed on
  };
  const Row rows[] = {
      {"plain", 1400, {}, 1380},
      {"the least", 1280, {}, 1260},
      {"below the least", 1279, {}, 0},
      {"none", 0, {}, 0},
      {"the link back is smaller", 1500, {1500, 1400}, 1400},
      {"so is the way on", 1500, {1400, 1500}, 1380},
      {"more than 16 bits", 0xffffffff, {}, 65515},
  };
  for (const Row& row : rows) {
    const auto kind = icmpv6_to_icmp({2, 0, row.rest}, row.mtus);
    ASSERT_EQ(kind.has_value(), row.wanted != 0) << row.name;
    if (kind) {
      EXPECT_EQ(*kind, (IcmpKind{3, 4, row.wanted})) << row.name;
    }
  }
}

TEST(XlatIcmpTypes, WithinAFamily) {
  for (int type = 0; type < 256; ++type) {
    const auto kind = static_cast<uint8_t>(type);
    const bool passed4 = type == 3 || type == 11 || type == 12;
    EXPECT_EQ(same_icmp({kind, 4, 0}).has_value(), passed4) << type;
    EXPECT_EQ(same_icmpv6({kind, 4, 1280}).has_value(), type >= 1 && type <= 4) << type;
  }
  // The length of the quote (RFC 4884) is taken out; MTUs and pointers stay.
  EXPECT_EQ(same_icmp({3, 4, 0x00200578}), (IcmpKind{3, 4, 0x578}));
  EXPECT_EQ(same_icmp({12, 0, 0x14200000}), (IcmpKind{12, 0, 0x14000000}));
  EXPECT_EQ(same_icmpv6({1, 4, 0x10000000}), (IcmpKind{1, 4, 0}));
  EXPECT_EQ(same_icmpv6({2, 0, 0x10000578}), (IcmpKind{2, 0, 0x10000578}));
  EXPECT_EQ(same_icmpv6({4, 1, 46}), (IcmpKind{4, 1, 46}));
  EXPECT_EQ(same_icmpv6({2, 0, 1279}), std::nullopt);
}

}  // namespace
}  // namespace sluice::net
