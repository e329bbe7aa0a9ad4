// SPDX-License-Identifier: BSD-3-Clause
// Addresses as text: what is read, what is refused, what is written.
#include "control/config/address_text.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

TEST(AddressText, ReadsAndWrites) {
  EXPECT_EQ(net::to_string(*parse_ipv4("10.1.2.3")), "10.1.2.3");
  EXPECT_EQ(to_string(*parse_prefix("10.1.255.254/16")), "10.1.255.254/16");
  EXPECT_EQ(to_string(network_of(*parse_prefix("10.1.255.254/16"))), "10.1.0.0/16");
  EXPECT_EQ(to_string(network_of(*parse_prefix("10.1.255.254/0"))), "0.0.0.0/0");
  EXPECT_EQ(net::to_string(*parse_endpoint("10.3.0.1:65535")), "10.3.0.1:65535");
  EXPECT_EQ(to_string(*parse_port_range("1024-65535")), "1024-65535");
  EXPECT_EQ(parse_port_range("7-7")->size(), 1u);
  EXPECT_EQ(to_string(*parse_mac("02:00:5E:00:01:ff")), "02:00:5e:00:01:ff");
}

TEST(AddressText, RefusesWhatIsNotExactlyOne) {
  for (const char* text : {"", "10", "10.1", "10.1.2.3.4", "10.1.2.256", " 10.1.2.3", "10.1.2.3 ",
                           "10.1.2.03", "::1", "localhost", "0x0a010203"}) {
    EXPECT_FALSE(parse_ipv4(text)) << text;
  }
  for (const char* text : {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "/8", "10/8"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
  for (const char* text : {"10.0.0.1", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", ":80",
                           "10.0.0.1:80 ", "10.0.0.1:+80", "[::1]:80", "web:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
  for (const char* text :
       {"", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:0g", "02-00-00-00-00-01",
        "02:00:00:00:00:01:", "0x:00:00:00:00:01", "+2:00:00:00:00:01"}) {
    EXPECT_FALSE(parse_mac(text)) << text;
  }
  for (const char* text : {"", "-", "1-", "-1", "0-9", "9-8", "1-65536", "1024", "1 - 2", "a-b"}) {
    EXPECT_FALSE(parse_port_range(text)) << text;
  }
}

TEST(AddressText, KnowsIpv6WhenItSeesIt) {
  for (const char* text : {"fd00:1::fe/64", "::1", "[fd00::1]:80"}) {
    EXPECT_TRUE(looks_like_ipv6(text)) << text;
  }
  for (const char* text : {"", "[", "[]", "10.0.0.1:80", "10.0.0.0/8", "nonsense"}) {
    EXPECT_FALSE(looks_like_ipv6(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::control
