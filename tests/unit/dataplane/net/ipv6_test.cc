// SPDX-License-Identifier: BSD-3-Clause
// IPv6: kinds of addresses, the walk over extension headers, checksums.
#include "dataplane/net/ipv6.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/net/ipv6_builder.h"
#include "tests/unit/sanitized.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::ip6;

constexpr Ipv6Address kMapped = ip6({0, 0, 0, 0, 0, 0xffff, 0x0a01, 1});

TEST(Ipv6Addresses, Kinds) {
  struct Row {
    const char* name;
    Ipv6Address ip;
    bool unspecified, multicast, link_local, mapped, source_possible;
  };
  const Row rows[] = {
      {"::", kUnspecifiedIpv6, true, false, false, false, false},
      {"::1", ip6({0, 0, 0, 0, 0, 0, 0, 1}), false, false, false, false, false},
      {"::2", ip6({0, 0, 0, 0, 0, 0, 0, 2}), false, false, false, false, true},
      {"::ffff:10.1.0.1", kMapped, false, false, false, true, false},
      {"::fffe:0:1", ip6({0, 0, 0, 0, 0, 0xfffe, 0, 1}), false, false, false, false, true},
      {"64:ff9b::1", ip6({0x64, 0xff9b, 0, 0, 0, 0, 0, 1}), false, false, false, false, true},
      {"fe80::1", ip6({0xfe80, 0, 0, 0, 0, 0, 0, 1}), false, false, true, false, true},
      {"febf::1", ip6({0xfebf, 0, 0, 0, 0, 0, 0, 1}), false, false, true, false, true},
      {"fec0::1", ip6({0xfec0, 0, 0, 0, 0, 0, 0, 1}), false, false, false, false, true},
      {"ff02::1", kAllNodes, false, true, false, false, false},
      {"fd00:1::1", ip6(1, 1), false, false, false, false, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(is_unspecified(row.ip), row.unspecified) << row.name;
    EXPECT_EQ(is_multicast(row.ip), row.multicast) << row.name;
    EXPECT_EQ(is_link_local(row.ip), row.link_local) << row.name;
    EXPECT_EQ(is_v4_mapped(row.ip), row.mapped) << row.name;
    EXPECT_EQ(ipv6_source_possible(row.ip), row.source_possible) << row.name;
  }
}

TEST(Ipv6Addresses, GroupsAndTheirMacs) {
  const Ipv6Address ip = ip6({0x2001, 0xdb8, 0, 0, 0x0123, 0x4567, 0x89ab, 0xcdef});
  const Ipv6Address group = solicited_node_multicast(ip);
  EXPECT_EQ(group, ip6({0xff02, 0, 0, 0, 0, 1, 0xffab, 0xcdef}));
  EXPECT_TRUE(is_solicited_node_multicast(group));
  EXPECT_FALSE(is_solicited_node_multicast(kAllNodes));
  EXPECT_FALSE(is_solicited_node_multicast(ip));
  EXPECT_EQ(multicast_mac(group), (MacAddress{{0x33, 0x33, 0xff, 0xab, 0xcd, 0xef}}));
  EXPECT_EQ(multicast_mac(kAllMldv2Routers), (MacAddress{{0x33, 0x33, 0, 0, 0, 0x16}}));
}

TEST(Ipv6Addresses, LinkLocalOfAMac) {  // the example of RFC 2464, section 4
  const MacAddress mac{{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}};
  EXPECT_EQ(link_local_of(mac), ip6({0xfe80, 0, 0, 0, 0x3656, 0x78ff, 0xfe9a, 0xbcde}));
}

TEST(Ipv6Header, MadeAsTheReferenceBuildsIt) {
  const Ipv6Header made = make_ipv6_header(kProtocolTcp, 7, 64, ip6(1, 1), ip6(3, 1), 0xb9);
  const Bytes wanted = test::ip6_packet({.traffic_class = 0xb9}, Bytes(7));
  EXPECT_EQ(std::memcmp(&made, wanted.data(), sizeof made), 0);
  EXPECT_EQ(made.version(), 6);
  EXPECT_EQ(made.traffic_class(), 0xb9);
  EXPECT_EQ(made.flow_label(), 0u);
  const Bytes labelled = test::ip6_packet({.flow_label = 0xfedcb}, {});
  EXPECT_EQ(reinterpret_cast<const Ipv6Header*>(labelled.data())->flow_label(), 0xfedcbu);
}

// Extension headers: what comes next, and a length that counts the first eight bytes not.
Bytes extension(uint8_t next, size_t length = 8) {
  Bytes bytes(length);
  bytes[0] = next;
  bytes[1] = static_cast<uint8_t>(length / 8 - 1);
  return bytes;  // Pad1 all through, or a routing header without segments left
}
Bytes router_alert(uint8_t next) {
  return {next, 0, 5, 2, 0, 0, 1, 0};
}
Bytes fragment_header(uint8_t next, uint16_t offset_and_more) {
  Bytes bytes = {next, 0};
  test::put16(bytes, offset_and_more);
  test::put32(bytes, 0xabcd1234);
  return bytes;
}
Bytes with_byte(Bytes bytes, size_t at, uint8_t value) {
  bytes[at] = value;
  return bytes;
}

struct WalkRow {
  const char* name;
  uint8_t first;
  Bytes behind;
  Ipv6Fault fault;
  uint8_t protocol;
  uint16_t offset;
  uint16_t named_at = 6;
  bool is_fragment = false;
  bool has_fragment_header = false;
  bool has_router_alert = false;
};

void expect_walk(const WalkRow& row) {
  SCOPED_TRACE(row.name);
  Ipv6Header ip{};
  ip.next_header = row.first;
  const Ipv6Payload found = find_upper_layer(ip, row.behind);
  EXPECT_EQ(found.fault, row.fault);
  EXPECT_EQ(found.protocol, row.protocol);
  EXPECT_EQ(found.offset, row.offset);
  EXPECT_EQ(found.named_at, row.named_at);
  EXPECT_EQ(found.is_fragment, row.is_fragment);
  EXPECT_EQ(found.has_fragment_header, row.has_fragment_header);
  EXPECT_EQ(found.has_router_alert, row.has_router_alert);
  EXPECT_EQ(found.fragment_id.host(), row.has_fragment_header ? 0xabcd1234 : 0);
}

TEST(Ipv6Walk, UpperLayers) {
  constexpr auto kNone = Ipv6Fault::kNone;
  const WalkRow rows[] = {
      {"TCP", 6, Bytes(20), kNone, 6, 0},
      {"UDP, nothing there", 17, {}, kNone, 17, 0},
      {"ICMPv6", 58, Bytes(8), kNone, 58, 0},
      {"hop-by-hop", 0, extension(6) + Bytes(20), kNone, 6, 8, 40},
      {"router alert", 0, router_alert(58), kNone, 58, 8, 40, false, false, true},
      {"router alert to the destination", 60, router_alert(58), kNone, 58, 8, 40},
      {"router alert of three bytes", 0, {58, 0, 5, 3, 0, 0, 0, 0}, kNone, 58, 8, 40},
      {"routing done", 43, extension(17, 24), kNone, 17, 24, 40},
      {"hop-by-hop, options, routing, options", 0,
       extension(60) + extension(43, 16) + extension(60, 24) + extension(6), kNone, 6, 56, 88},
      {"PadN fills the header", 60, with_byte(with_byte(extension(6), 2, 1), 3, 4), kNone, 6, 8,
       40},
      {"atomic fragment", 44, fragment_header(17, 0), kNone, 17, 8, 40, false, true},
      {"reserved bits make no fragment", 44, fragment_header(17, 6), kNone, 17, 8, 40, false, true},
      {"options behind an atomic fragment", 44, fragment_header(60, 0) + extension(6), kNone, 6, 16,
       48, false, true},
      {"first fragment", 44, fragment_header(17, 1), kNone, 17, 8, 40, true, true},
      {"last fragment", 44, fragment_header(17, 8), kNone, 17, 8, 40, true, true},
      {"fragment of what is not known", 44, fragment_header(132, 9), kNone, 132, 8, 40, true, true},
      {"fragment that goes on with options", 60, extension(44) + fragment_header(60, 1), kNone, 60,
       16, 48, true, true},
      {"as many bytes as may be", 60, extension(6, 256), kNone, 6, 256, 40},
  };
  for (const WalkRow& row : rows) expect_walk(row);
}

TEST(Ipv6Walk, Faults) {
  constexpr auto kTruncated = Ipv6Fault::kTruncated;
  constexpr auto kBadOptions = Ipv6Fault::kBadOptions;
  constexpr auto kUnknown = Ipv6Fault::kUnknownNextHeader;
  const WalkRow rows[] = {
      {"no byte of a header", 60, {}, kTruncated, 60, 0},
      {"one byte of a header", 60, {6}, kTruncated, 60, 0},
      {"seven bytes of a header", 43, Bytes{6, 0, 0, 0, 0, 0, 0}, kTruncated, 43, 0},
      {"header beyond the packet", 60, with_byte(extension(6), 1, 1), kTruncated, 60, 0},
      {"second header cut", 0, extension(44) + Bytes(7), kTruncated, 44, 8, 40},
      {"option without length", 60, with_byte(extension(6), 7, 1), kBadOptions, 60, 0},
      {"option one byte too long", 0, {6, 0, 1, 5, 0, 0, 0, 0}, kBadOptions, 0, 0},
      {"segments left", 43, with_byte(extension(6), 3, 1), Ipv6Fault::kRoutingSegmentsLeft, 43, 0},
      {"hop-by-hop twice", 0, extension(0) + extension(6), kUnknown, 0, 8, 40},
      {"hop-by-hop behind options", 60, extension(0) + extension(6), kUnknown, 0, 8, 40},
      {"SCTP", 132, Bytes(8), kUnknown, 132, 0},
      {"ICMP of IPv4", 1, Bytes(8), kUnknown, 1, 0},
      {"ESP", 50, Bytes(8), kUnknown, 50, 0},
      {"AH", 51, Bytes(24), kUnknown, 51, 0},
      {"unknown behind options", 60, extension(135), kUnknown, 135, 8, 40},
      {"nothing", 59, Bytes(8), Ipv6Fault::kNoNextHeader, 59, 0},
      {"nothing behind options", 60, extension(59), Ipv6Fault::kNoNextHeader, 59, 8, 40},
      {"too many bytes", 60, extension(6, 264), Ipv6Fault::kTooManyHeaders, 60, 0},
      {"too many bytes in two", 60, extension(60, 248) + extension(6, 16),
       Ipv6Fault::kTooManyHeaders, 60, 248, 40},
  };
  for (const WalkRow& row : rows) expect_walk(row);
}

TEST(Ipv6Walk, EightHeadersAndNoMore) {
  for (const size_t count : {7, 8, 9, 20}) {
    Bytes behind;
    for (size_t i = 1; i < count; ++i) behind = behind + extension(60);
    behind = behind + extension(6);
    const auto passed = static_cast<uint16_t>(std::min<size_t>(count, 8) * 8);
    const bool all = count <= 8;
    expect_walk({"options", 60, behind, all ? Ipv6Fault::kNone : Ipv6Fault::kTooManyHeaders,
                 static_cast<uint8_t>(all ? 6 : 60), passed,
                 static_cast<uint16_t>(40 + passed - 8)});
  }
}

TEST(Ipv6Walk, StaysInsideWhateverTheBytesSay) {
  std::mt19937 random(6);
  constexpr uint8_t kKinds[] = {0, 6, 17, 43, 44, 58, 59, 60};
  for (int round = 0; round < test::rounds(100'000); ++round) {
    Bytes behind(random() % 80);
    for (uint8_t& byte : behind) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : 0);
    for (size_t at = 0; at < behind.size(); at += 8) behind[at] = kKinds[random() % 8];
    Ipv6Header ip{};
    ip.next_header = kKinds[random() % 8];
    const Bytes exact(behind);
    ASSERT_LE(find_upper_layer(ip, exact).offset, exact.size());
  }
}

TEST(Ipv6Checksums, AsTheReferenceHasThem) {
  std::mt19937 random(7);
  for (int round = 0; round < test::rounds(5'000); ++round) {
    Bytes segment(8 + random() % 90);
    for (uint8_t& byte : segment) byte = static_cast<uint8_t>(random());
    const Ipv6Address source = ip6(static_cast<uint16_t>(random()), 0xffff);
    const Ipv6Address destination = ip6(0xfffe, static_cast<uint16_t>(random()));
    const bool is_udp = random() % 2 == 0;
    const uint8_t protocol = is_udp ? kProtocolUdp : random() % 2 ? kProtocolTcp : kProtocolIcmpv6;
    constexpr size_t kAt = 6;  // UDP's, and as good as any
    test::store_checksum(segment, kAt, 0);
    const uint16_t wanted = test::checksum6(source, destination, protocol, segment);
    const be16 made = checksum_of(source, destination, protocol, segment);
    ASSERT_EQ(made.host(), wanted == 0 && is_udp ? 0xffff : wanted);
    test::store_checksum(segment, kAt, made.host());
    ASSERT_TRUE(checksum_ok(source, destination, protocol, segment));
    if (is_udp) {
      ASSERT_TRUE(udp_checksum_ok(source, destination, segment));
    }
    segment[random() % segment.size()] ^= 1;
    ASSERT_FALSE(checksum_ok(source, destination, protocol, segment));
    if (is_udp) {
      ASSERT_FALSE(udp_checksum_ok(source, destination, segment));
    }
  }
}

TEST(Ipv6Checksums, OfUdpIsNeverZero) {
  // The word that brings the sum to 0xffff: its checksum is zero.
  const Ipv6Address source = ip6(1, 1), destination = ip6(2, 2);
  Bytes datagram = {0, 1, 0, 2, 0, 10, 0, 0, 0, 0};
  test::store_checksum(datagram, 8, test::checksum6(source, destination, 17, datagram));
  ASSERT_EQ(test::checksum6(source, destination, 17, datagram), 0);
  EXPECT_FALSE(udp_checksum_ok(source, destination, datagram));  // "none"
  EXPECT_EQ(checksum_of(source, destination, kProtocolUdp, datagram).host(), 0xffff);
  test::store_checksum(datagram, 6, 0xffff);
  EXPECT_TRUE(udp_checksum_ok(source, destination, datagram));
}

}  // namespace
}  // namespace sluice::net
