// SPDX-License-Identifier: BSD-3-Clause
// What ICMP errors of both families quote.
#include "dataplane/net/icmp_quote.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;

constexpr uint8_t kTcpNumber = 6, kUdpNumber = 17;

Bytes upper_layer(size_t size) {
  Bytes bytes;
  test::put16(bytes, 1024);
  test::put16(bytes, 8080);
  test::put32(bytes, 0x01020304);
  bytes.resize(size, 0x5a);
  return bytes;
}
Bytes quoted4(const test::Ip4& ip, size_t size) {
  return test::ip4_packet(ip, upper_layer(size));
}
Bytes quoted6(uint8_t next, const Bytes& extensions, size_t size) {
  return test::ip6_packet({.next_header = next}, extensions + upper_layer(size));
}
Bytes changed(Bytes bytes, size_t at, uint8_t value) {
  bytes[at] = value;
  return bytes;
}

struct QuoteRow {
  const char* name;
  bool is_ipv6;
  Bytes quoted;  // behind the ICMP header
  Protocol protocol = Protocol::kTcp;
  uint16_t upper_at = 20;
  size_t size = 0;
};

std::optional<IcmpQuote> read_quote(bool is_ipv6, const Bytes& message) {
  return is_ipv6 ? read_icmpv6_quote(message) : read_icmp_quote(message);
}
Bytes error_with(bool is_ipv6, const Bytes& behind, uint32_t rest = 0, uint8_t type = 0) {
  const uint8_t unreachable = is_ipv6 ? 1 : 3;
  return test::icmp4(type != 0 ? type : unreachable, 0, rest, behind);  // sums are not looked at
}

TEST(IcmpQuotes, Found) {
  const Bytes options{60, 0, 1, 4, 0, 0, 0, 0}, routing{6, 0, 0, 0, 0, 0, 0, 0};
  const QuoteRow rows[] = {
      {"TCP", false, quoted4({}, 40), Protocol::kTcp, 20, 60},
      {"eight bytes of UDP", false, quoted4({.protocol = kUdpNumber}, 8), Protocol::kUdp, 20, 28},
      {"IPv4 options", false, quoted4({.options = Bytes(12, 1)}, 8), Protocol::kTcp, 32, 40},
      {"cut to eight bytes", false, test::slice(quoted4({}, 1400), 0, 28), Protocol::kTcp, 20, 28},
      {"bytes behind the packet", false, quoted4({}, 12) + Bytes(9), Protocol::kTcp, 20, 32},
      {"TCP over IPv6", true, quoted6(kTcpNumber, {}, 40), Protocol::kTcp, 40, 80},
      {"eight bytes of UDP over IPv6", true, quoted6(kUdpNumber, {}, 8), Protocol::kUdp, 40, 48},
      {"extension headers", true, quoted6(0, changed(options, 0, 43) + routing, 8), Protocol::kTcp,
       56, 64},
      {"atomic fragment", true, quoted6(44, {17, 0, 0, 0, 0, 0, 0, 9}, 8), Protocol::kUdp, 48, 56},
      {"cut over IPv6", true, test::slice(quoted6(kTcpNumber, {}, 1400), 0, 48), Protocol::kTcp, 40,
       48},
      {"bytes behind IPv6", true, quoted6(kTcpNumber, {}, 9) + Bytes(3), Protocol::kTcp, 40, 49},
  };
  for (const QuoteRow& row : rows) {
    SCOPED_TRACE(row.name);
    const Bytes message = error_with(row.is_ipv6, row.quoted);
    const auto quote = read_quote(row.is_ipv6, message);
    ASSERT_TRUE(quote);
    EXPECT_EQ(quote->is_ipv6, row.is_ipv6);
    EXPECT_EQ(quote->protocol, row.protocol);
    EXPECT_EQ(quote->upper_at, row.upper_at);
    EXPECT_EQ(quote->packet.data(), message.data() + 8);
    EXPECT_EQ(quote->packet.size(), row.size);
    EXPECT_TRUE(quote->extension.empty());
    EXPECT_EQ(quote->ports().source_port.host(), 1024);
    EXPECT_EQ(quote->ports().destination_port.host(), 8080);
  }
}

TEST(IcmpQuotes, ThatSayNothing) {
  const Bytes plain4 = quoted4({}, 40), plain6 = quoted6(kTcpNumber, {}, 40);
  const QuoteRow rows[] = {
      {"nothing", false, {}},
      {"IPv4 cut", false, test::slice(plain4, 0, 19)},
      {"seven bytes of TCP", false, test::slice(plain4, 0, 27)},
      {"total length too short", false, changed(plain4, 3, 27)},
      {"options push TCP out", false, test::slice(quoted4({.options = Bytes(4, 1)}, 8), 0, 28)},
      {"IPv6 in ICMP", false, plain6},
      {"header of 16 bytes", false, changed(plain4, 0, 0x44)},
      {"ICMP", false, quoted4({.protocol = 1}, 8)},
      {"first fragment", false, quoted4({.fragment = 0x2000}, 8)},
      {"later fragment", false, quoted4({.fragment = 1}, 8)},
      {"nothing in ICMPv6", true, {}},
      {"IPv6 cut", true, test::slice(plain6, 0, 39)},
      {"IPv4 in ICMPv6", true, plain4},
      {"seven bytes of TCP over IPv6", true, test::slice(plain6, 0, 47)},
      {"payload length too short", true, changed(plain6, 5, 7)},
      {"ICMPv6", true, quoted6(58, {}, 8)},
      {"ESP", true, quoted6(50, {}, 8)},
      {"fragment over IPv6", true, quoted6(44, {6, 0, 0, 1, 0, 0, 0, 9}, 8)},
      {"extension header cut", true, test::slice(quoted6(60, Bytes{6, 9} + Bytes(78), 8), 0, 100)},
  };
  for (const QuoteRow& row : rows) {
    EXPECT_FALSE(read_quote(row.is_ipv6, error_with(row.is_ipv6, row.quoted))) << row.name;
  }
}

TEST(IcmpQuotes, ExtensionsStandBehind) {  // RFC 4884
  const Bytes extension = {0x20, 0, 1, 2, 0, 4, 1, 1};
  struct Row {
    const char* name;
    bool is_ipv6;
    uint32_t rest;
    uint8_t type;
    size_t padded;
    bool extended;
  };
  const Row rows[] = {
      {"128 bytes", false, 32u << 16, 3, 128, true},
      {"132 bytes", false, 33u << 16, 11, 132, true},
      {"parameter problem", false, 32u << 16, 12, 128, true},
      {"no length", false, 0, 3, 128, false},
      {"length of too little", false, 31u << 16, 3, 128, false},
      {"length of all", false, 34u << 16, 3, 128, false},
      {"no error", false, 32u << 16, 8, 128, false},
      {"128 bytes over IPv6", true, 16u << 24, 1, 128, true},
      {"136 bytes over IPv6", true, 17u << 24, 3, 136, true},
      {"an MTU is no length", true, 16u << 24, 2, 128, false},
      {"a pointer is no length", true, 16u << 24, 4, 128, false},
      {"length of all over IPv6", true, 17u << 24, 1, 128, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Bytes padded = row.is_ipv6 ? quoted6(kTcpNumber, {}, 20) : quoted4({}, 20);
    const size_t packet = padded.size();
    padded.resize(row.padded);
    const Bytes message = error_with(row.is_ipv6, padded + extension, row.rest, row.type);
    const auto quote = read_quote(row.is_ipv6, message);
    ASSERT_TRUE(quote);
    EXPECT_EQ(quote->packet.size(), packet);
    EXPECT_EQ(Bytes(quote->extension.begin(), quote->extension.end()),
              row.extended ? extension : Bytes{});
  }
}

}  // namespace
}  // namespace sluice::net
