// SPDX-License-Identifier: BSD-3-Clause
// Addresses of an interface: of one family, all of them, the one that it sends from.
#include "control/config/link_addresses.h"

#include <gtest/gtest.h>

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

constexpr net::MacAddress kMac{{0x02, 0, 0, 0, 0, 0x0a}};

InterfaceConfig interface(const std::vector<const char*>& addresses) {
  InterfaceConfig made;
  for (const char* own : addresses) made.addresses.push_back(*parse_prefix(own));
  return made;
}

std::vector<std::string> all_of(const std::vector<const char*>& addresses) {
  std::vector<std::string> texts;
  for (const IpPrefix& own : all_addresses(interface(addresses), kMac)) {
    texts.push_back(to_string(own));
  }
  return texts;
}

TEST(LinkAddresses, WithIpv6ThereIsALinkLocalOne) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(all_of({"10.1.0.1/16"}), Texts({"10.1.0.1/16"}));
  EXPECT_EQ(all_of({"fd00::1/64"}), Texts({"fd00::1/64", "fe80::ff:fe00:a/64"}));
  EXPECT_EQ(all_of({"fd00::1/64", "fe80::7/64"}), Texts({"fd00::1/64", "fe80::7/64"}));
}

TEST(LinkAddresses, TheFirstOfAFamilyThatRoutersPassOn) {
  const InterfaceConfig both = interface({"fe80::7/64", "10.1.0.1/16", "fd00::1/64", "fd00::2/64"});
  EXPECT_EQ(first_address(both, net::Family::kIpv4), parse_ip("10.1.0.1"));
  EXPECT_EQ(first_address(both, net::Family::kIpv6), parse_ip("fd00::1"));
  EXPECT_EQ(first_address(interface({"fe80::7/64"}), net::Family::kIpv6), parse_ip("fe80::7"));
  EXPECT_FALSE(first_address(interface({"fe80::7/64"}), net::Family::kIpv4));
}

}  // namespace
}  // namespace sluice::control
