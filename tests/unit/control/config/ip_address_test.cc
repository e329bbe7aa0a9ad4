// SPDX-License-Identifier: BSD-3-Clause
// Addresses of both families as values: order, narrowing, networks.
#include "control/config/ip_address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
IpPrefix prefix(const char* text) {
  return parse_prefix(text).value();
}

TEST(IpAddress, Ipv4SortsBeforeIpv6AndEachAsItsBytesDo) {
  const std::vector<IpAddress> sorted = {
      ip("0.0.0.0"), ip("9.255.255.255"), ip("10.0.0.2"), ip("10.0.0.10"), ip("255.255.255.255"),
      ip("::"),      ip("::1"),           ip("fd00::9"),  ip("fd00::10"),  ip("ff02::1")};
  std::vector<IpAddress> mixed(sorted.rbegin(), sorted.rend());
  std::ranges::sort(mixed);
  EXPECT_EQ(mixed, sorted);
  EXPECT_EQ(IpAddress(), ip("0.0.0.0"));
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_LT(*parse_endpoint("10.0.0.1:65535"), *parse_endpoint("10.0.0.2:1"));
  EXPECT_LT(*parse_endpoint("10.0.0.1:255"), *parse_endpoint("10.0.0.1:256"));
  EXPECT_LT(*parse_endpoint("255.255.255.255:65535"), *parse_endpoint("[::]:1"));
}

TEST(IpAddress, WidensAndNarrows) {
  const auto v4 = net::Ipv4Address::from_host(0x0a010203);
  EXPECT_EQ(IpAddress(v4), ip("10.1.2.3"));
  EXPECT_EQ(IpAddress(v4).v4(), v4);
  EXPECT_EQ(IpAddress(v4).bytes().size(), 4u);
  const IpAddress v6 = ip("fd00::1");
  EXPECT_EQ(IpAddress(v6.v6()), v6);
  EXPECT_EQ(v6.bytes().size(), 16u);
  const net::Ipv4Endpoint endpoint{v4, net::be16::from_host(80)};
  EXPECT_EQ(IpEndpoint(endpoint).v4(), endpoint);
  EXPECT_EQ(IpPrefix(net::Ipv4Prefix{v4, 16}).v4(), (net::Ipv4Prefix{v4, 16}));
}

TEST(IpPrefix, ContainsItsOwnFamilyAlone) {
  const struct {
    const char* network;
    const char* inside;
    const char* outside;
  } cases[] = {
      {"10.1.2.3/16", "10.1.255.255", "10.2.0.0"},   {"10.1.2.0/23", "10.1.3.255", "10.1.4.0"},
      {"10.1.2.3/32", "10.1.2.3", "10.1.2.2"},       {"0.0.0.0/0", "255.255.255.255", "::"},
      {"fd00:1::/32", "fd00:1:ffff::1", "fd00:2::"}, {"fd00::/7", "fc00::1", "fe00::"},
      {"fd00::80/121", "fd00::ff", "fd00::7f"},      {"fd00::1/128", "fd00::1", "fd00::"},
      {"fd00::1/127", "fd00::", "fd00::2"},          {"::/0", "ffff::", "0.0.0.0"},
  };
  for (const auto& test : cases) {
    EXPECT_TRUE(prefix(test.network).contains(ip(test.inside))) << test.network;
    EXPECT_FALSE(prefix(test.network).contains(ip(test.outside))) << test.network;
  }
}

TEST(IpPrefix, FirstAndLastAddress) {
  EXPECT_EQ(prefix("10.1.2.3/23").first(), ip("10.1.2.0"));
  EXPECT_EQ(prefix("10.1.2.3/23").last(), ip("10.1.3.255"));
  EXPECT_EQ(prefix("10.1.2.3/0").network(), prefix("0.0.0.0/0"));
  EXPECT_EQ(prefix("10.1.2.3/32").last(), ip("10.1.2.3"));
  EXPECT_EQ(prefix("fd00:1:2:3:4::5/64").network(), prefix("fd00:1:2:3::/64"));
  EXPECT_EQ(prefix("fd00::1/126").last(), ip("fd00::3"));
  EXPECT_EQ(prefix("fd00::1/0").first(), ip("::"));
}

}  // namespace
}  // namespace sluice::control
