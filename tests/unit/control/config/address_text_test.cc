// SPDX-License-Identifier: BSD-3-Clause
// Addresses as text: what is read, what is refused, what is written.
#include "control/config/address_text.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

TEST(AddressText, ReadsAndWrites) {
  EXPECT_EQ(to_string(*parse_ip("10.1.2.3")), "10.1.2.3");
  EXPECT_EQ(to_string(*parse_prefix("10.1.255.254/16")), "10.1.255.254/16");
  EXPECT_EQ(to_string(parse_prefix("10.1.255.254/16")->network()), "10.1.0.0/16");
  EXPECT_EQ(to_string(parse_prefix("10.1.255.254/0")->network()), "0.0.0.0/0");
  EXPECT_EQ(to_string(*parse_endpoint("10.3.0.1:65535")), "10.3.0.1:65535");
  EXPECT_EQ(to_string(*parse_port_range("1024-65535")), "1024-65535");
  EXPECT_EQ(parse_port_range("7-7")->size(), 1u);
  EXPECT_EQ(to_string(*parse_mac("02:00:5E:00:01:ff")), "02:00:5e:00:01:ff");
}

// The examples of RFC 5952, sections 1 to 4, and the edges of its rules.
TEST(AddressText, WritesIpv6AsRfc5952Has) {
  const struct {
    const char* read;
    const char* written;
  } cases[] = {
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},  // section 1
      {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
      {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},     // 2.1
      {"2001:db8:0:0:0::1", "2001:db8::1"},                                                  // 2.2
      {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},  // 2.3
      {"2001:0db8::0001", "2001:db8::1"},                                                    // 4.1
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},         // 4.2.1
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // 4.2.2: never a single group
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // 4.2.3: the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // 4.2.3: the first of two
      {"0:0:0:0:0:0:0:0", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"fd00:0:0:0:0:0:0:0", "fd00::"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
  };
  for (const auto& test : cases) {
    const auto ip = parse_ip(test.read);
    ASSERT_TRUE(ip) << test.read;
    EXPECT_EQ(to_string(*ip), test.written);
    EXPECT_EQ(parse_ip(to_string(*ip)), ip) << test.read;
  }
}

TEST(AddressText, Ipv6StandsInBracketsWhereAPortFollows) {
  EXPECT_EQ(to_string(*parse_endpoint("[FD00:3:0::1]:80")), "[fd00:3::1]:80");
  EXPECT_EQ(to_string(*parse_endpoint("[::1]:9100")), "[::1]:9100");
  EXPECT_EQ(to_string(*parse_prefix("fd00:0:3::/48")), "fd00:0:3::/48");
  EXPECT_EQ(to_string(*parse_prefix("::/0")), "::/0");
}

TEST(AddressText, RefusesWhatIsNotExactlyAnAddress) {
  EXPECT_FALSE(parse_ip(std::string_view("::1\0", 4)));
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_ip(std::string(1000, ':')));
}

TEST(AddressText, RefusesWhatIsNotExactlyANetwork) {
  for (const char* text : {"",
                           "10",
                           "10.1",
                           "10.1.2.3.4",
                           "10.1.2.256",
                           " 10.1.2.3",
                           "10.1.2.3 ",
                           "10.1.2.03",
                           "010.1.2.3",
                           "localhost",
                           "0x0a010203",
                           ":",
                           ":::",
                           "::1::",
                           "1:2:3:4:5:6:7",
                           "12345::",
                           "1:2:3:4:5:6:7:8:9",
                           "::g",
                           " ::1",
                           "::1 ",
                           "[::1]",
                           "fe80::1%eth0",
                           "::1%1",
                           "::1.2.3",
                           "::ffff:1.2.3.4",
                           "::ffff:102:304",
                           "0:0:0:0:0:ffff:1.2.3.4",
                           "64:ff9b::1.2.3.04"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  for (const char* text :
       {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "/8", "10/8", "fd00::/129",
        "fd00::", "fd00::/", "[fd00::]/8", "::ffff:10.0.0.0/104", "/64", "fe80::%1/64"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
}

TEST(AddressText, RefusesWhatIsNotExactlyAnEndpoint) {
  for (const char* text : {"10.0.0.1",
                           "10.0.0.1:",
                           "10.0.0.1:0",
                           "10.0.0.1:65536",
                           ":80",
                           "10.0.0.1:80 ",
                           "10.0.0.1:+80",
                           "web:80",
                           "[::1]",
                           "[::1]:",
                           "[::1]:0",
                           "[::1]:65536",
                           "[::1]80",
                           "[]:80",
                           "[::1",
                           "::1:80",
                           "[10.0.0.1]:80",
                           "[::1]]:80",
                           "[[::1]:80",
                           "[fe80::1%lo]:80",
                           "[::ffff:10.0.0.1]:80",
                           "[::1]:80:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(AddressText, RefusesWhatIsNotExactlyAMacOrARangeOfPorts) {
  for (const char* text :
       {"", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:0g", "02-00-00-00-00-01",
        "02:00:00:00:00:01:", "0x:00:00:00:00:01", "+2:00:00:00:00:01"}) {
    EXPECT_FALSE(parse_mac(text)) << text;
  }
  for (const char* text : {"", "-", "1-", "-1", "0-9", "9-8", "1-65536", "1024", "1 - 2", "a-b"}) {
    EXPECT_FALSE(parse_port_range(text)) << text;
  }
}

TEST(AddressText, SaysWhatSpeaksAgainstANearMiss) {
  for (const char* text : {"::ffff:10.1.2.3", "[::FFFF:a01:203]:80", "::ffff:10.1.2.3/112"}) {
    EXPECT_EQ(near_miss(text), "IPv4-mapped: write 10.1.2.3") << text;
  }
  for (const char* text : {"fe80::1%eth0", "[fe80::1%eth0]:80", "fe80::1%eth0/64"}) {
    EXPECT_EQ(near_miss(text), "without a zone") << text;
  }
  for (const char* text : {"", "[", "[]", "%", "10.0.0.1:80", "10.0.0.0/8", "nonsense", "10.1%a"}) {
    EXPECT_EQ(near_miss(text), "") << text;
  }
}

}  // namespace
}  // namespace sluice::control
