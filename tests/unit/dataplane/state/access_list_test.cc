// SPDX-License-Identifier: BSD-3-Clause
// Lists: the longest prefix decides, in either family.
#include "dataplane/state/access_list.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

net::Ipv4Address v4(uint32_t number) {
  return net::Ipv4Address::from_host(number);
}
net::Ipv6Address v6(uint8_t first, uint8_t second, uint8_t last) {
  net::Ipv6Address ip{};
  ip.bytes[0] = first;
  ip.bytes[1] = second;
  ip.bytes[15] = last;
  return ip;
}

TEST(AccessList, NobodyIsKeptOutByNothing) {
  const AccessList list({}, {}, false);
  EXPECT_EQ(list.look_up(v4(0x0a000001)), Access::kGranted);
  EXPECT_EQ(list.look_up(v6(0x20, 1, 1)), Access::kGranted);
}

TEST(AccessList, AnEmptyListOfThoseWhoMayLetsNobodyIn) {
  const AccessList list({}, {}, true);
  EXPECT_EQ(list.look_up(v4(0x0a000001)), Access::kNotAllowed);
  EXPECT_EQ(list.look_up(v6(0x20, 1, 1)), Access::kNotAllowed);
}

TEST(AccessList, TheLongestPrefixDecidesAndOfEqualOnesTheDenial) {
  const AccessList list({.v4 = {{v4(0x0a010000), 16}, {v4(0x0a010203), 32}, {v4(0x0b000000), 8}}},
                        {.v4 = {{v4(0x0a000000), 8}, {v4(0x0a010200), 24}, {v4(0x0b000000), 8}}},
                        true);
  EXPECT_EQ(list.look_up(v4(0x0a020304)), Access::kDenied);
  EXPECT_EQ(list.look_up(v4(0x0a010304)), Access::kGranted);
  EXPECT_EQ(list.look_up(v4(0x0a010204)), Access::kDenied);
  EXPECT_EQ(list.look_up(v4(0x0a010203)), Access::kGranted);
  EXPECT_EQ(list.look_up(v4(0x0b000001)), Access::kDenied);
  EXPECT_EQ(list.look_up(v4(0x0c000001)), Access::kNotAllowed);
}

TEST(AccessList, FamiliesHaveListsOfTheirOwn) {
  const AccessList list({.v6 = {{v6(0x20, 1, 0), 16}}}, {.v6 = {{v6(0x20, 1, 7), 128}}}, true);
  EXPECT_EQ(list.look_up(v6(0x20, 1, 9)), Access::kGranted);
  EXPECT_EQ(list.look_up(v6(0x20, 1, 7)), Access::kDenied);
  EXPECT_EQ(list.look_up(v6(0x20, 2, 9)), Access::kNotAllowed);
  EXPECT_EQ(list.look_up(v4(0x20010009)), Access::kNotAllowed) << "a list of either is a list";
}

TEST(AccessList, ManyPrefixesAnswerAsASearchDoes) {
  std::mt19937 random(1);
  AccessList::Prefixes allow, deny;
  for (int i = 0; i < 500; ++i) {
    const auto length = static_cast<uint8_t>(4 + random() % 29);
    auto& list = i % 2 == 0 ? allow.v4 : deny.v4;
    net::Ipv4Prefix prefix{v4(static_cast<uint32_t>(random())), length};
    prefix.address = v4(prefix.address.host() & prefix.mask());
    list.push_back(prefix);
  }
  const AccessList list(allow, deny, true);
  for (int i = 0; i < 20'000; ++i) {
    const net::Ipv4Address ip = v4(static_cast<uint32_t>(random()));
    int longest = -1;
    Access expected = Access::kNotAllowed;
    for (const auto& prefix : allow.v4) {
      if (prefix.contains(ip) && prefix.length > longest) {
        longest = prefix.length;
        expected = Access::kGranted;
      }
    }
    for (const auto& prefix : deny.v4) {
      if (prefix.contains(ip) && prefix.length >= longest) {
        longest = prefix.length;
        expected = Access::kDenied;
      }
    }
    ASSERT_EQ(list.look_up(ip), expected);
  }
}

}  // namespace
}  // namespace sluice
