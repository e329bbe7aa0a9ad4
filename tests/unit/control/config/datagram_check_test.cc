// SPDX-License-Identifier: BSD-3-Clause
// Health checks by UDP and DNS in a configuration: what arrives, and every mistake by its name.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

const std::string kWithTap = "addresses = [\"10.1.255.254/16\"]\nkernel = \"s0\"";

std::string keys(const std::string& text) {
  return "[service.health_check]\n" + text + "\n";
}

const HealthCheckConfig& check_of(const Config& config, const std::string& service) {
  const auto found = std::ranges::find(config.services, service, &ServiceConfig::name);
  return found->health_check.value();
}

TEST(DatagramCheck, Arrives) {
  const Config example = load_config(SLUICE_SOURCE_ROOT "/conf/example.toml").config;
  const HealthCheckConfig& text = check_of(example, "echo");
  EXPECT_EQ(text.type, CheckType::kUdp);
  EXPECT_EQ(text.payload, "PING\r\n");
  EXPECT_EQ(text.expect, "PONG");
  const HealthCheckConfig& bytes = check_of(example, "stun");
  EXPECT_EQ(bytes.payload_hex.substr(0, 4), std::string("\x00\x01\x00\x00", 4));
  EXPECT_EQ(bytes.expect_hex, "\x21\x12\xa4\x42");
  const HealthCheckConfig& dns = check_of(example, "resolver");
  EXPECT_EQ(dns.type, CheckType::kDns);
  EXPECT_EQ(dns.dns_type, "AAAA");
  EXPECT_EQ(dns.dns_rcode, (std::vector<std::string>{"NOERROR"}));
  EXPECT_EQ(dns.dns_expect, "2001:db8::1");
}

struct DatagramMistake {
  const char* name;
  Text text;
  std::vector<const char*> says;
};

const DatagramMistake kDatagramMistakes[] = {
    {"UdpWithoutAPayload",
     {.interface = kWithTap, .more = keys("type = \"udp\"")},
     {"type \"udp\" without a payload", "an empty datagram says nothing"}},
    {"EmptyPayload",
     {.interface = kWithTap, .more = keys("type = \"udp\"\npayload = \"\"")},
     {"payload: got \"\"", "text of 1 to 1400 bytes"}},
    {"TwoPayloads",
     {.interface = kWithTap, .more = keys("type = \"udp\"\npayload = \"a\"\npayload_hex = \"00\"")},
     {"payload_hex: got payload_hex beside payload, expected one of the two"}},
    {"PayloadHex",
     {.interface = kWithTap, .more = keys("type = \"udp\"\npayload_hex = \"0 0\"")},
     {"payload_hex: got \"0 0\"", "hexadecimal digits of 1 to 1400 bytes"}},
    {"ExpectOfAnotherType",
     {.interface = kWithTap, .more = keys("type = \"tcp\"\nexpect = \"a\"")},
     {"expect: got a key of type udp, expected no such key with type \"tcp\""}},
    {"DnsKeyOfAnotherType",
     {.interface = kWithTap,
      .more = keys("type = \"udp\"\npayload = \"a\"\ndns_rcode = [\"NOERROR\"]")},
     {"dns_rcode: got a key of type dns, expected no such key with type \"udp\""}},
    {"DnsWithoutAName",
     {.interface = kWithTap, .more = keys("type = \"dns\"")},
     {"type \"dns\" without a dns_name"}},
    {"DnsName",
     {.interface = kWithTap, .more = keys("type = \"dns\"\ndns_name = \"a..b\"")},
     {"dns_name: got \"a..b\"", "a domain name (labels of 1 to 63 bytes"}},
    {"DnsType",
     {.interface = kWithTap, .more = keys("type = \"dns\"\ndns_name = \"a\"\ndns_type = \"AXFR\"")},
     {"dns_type: got \"AXFR\"", "that can be asked for"}},
    {"DnsRcode",
     {.interface = kWithTap,
      .more = keys("type = \"dns\"\ndns_name = \"a\"\ndns_rcode = [\"NXDOMIAN\"]")},
     {"dns_rcode: got \"NXDOMIAN\"", "the nearest is \"NXDOMAIN\""}},
    {"ByUdpWithoutAWay",
     {.more = keys("type = \"udp\"\npayload = \"a\"")},
     {"health_check.type: got \"udp\" for 10.1.0.10:80, which is behind interface a"}},
};

TEST(DatagramCheck, EachMistakeIsNamedAlone) {
  for (const DatagramMistake& mistake : kDatagramMistakes) {
    const std::string problems = describe(parse_config(mistake.text.str()).problems, "f");
    EXPECT_EQ(std::ranges::count(problems, '\n'), 1) << mistake.name << ": " << problems;
    for (const char* words : mistake.says) {
      EXPECT_NE(problems.find(words), std::string::npos) << mistake.name << ": " << problems;
    }
  }
}

}  // namespace
}  // namespace sluice::control
