// SPDX-License-Identifier: BSD-3-Clause
// Network headers made anew in the other family.
#include "dataplane/net/xlat.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/net/ipv6_builder.h"
#include "tests/unit/sanitized.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::ip4;
using test::ip6;

template <class Header>
Bytes bytes_of_header(const Header& header) {
  const auto* begin = reinterpret_cast<const uint8_t*>(&header);
  return Bytes(begin, begin + sizeof header);
}

TEST(XlatHeaders, Ipv4ToIpv6) {
  struct Row {
    const char* name;
    test::Ip4 from;
    size_t payload;
    test::Ip6 wanted;
  };
  const Ipv6Address source = ip6(1, 1), destination = ip6(3, 1);
  const Row rows[] = {
      {"TCP", {}, 20, {.next_header = 6}},
      {"UDP without DF", {.protocol = 17, .id = 9, .fragment = 0}, 8, {.next_header = 17}},
      {"ICMP", {.protocol = 1}, 8, {.next_header = 58}},
      {"type of service", {.tos = 0xb9}, 0, {.next_header = 6, .traffic_class = 0xb9}},
      {"options", {.options = Bytes(40, 1)}, 33, {.next_header = 6}},
      {"as long as can be", {}, 65515, {.next_header = 6}},
  };
  for (const Row& row : rows) {
    const Bytes from = test::ip4_packet(row.from, Bytes(row.payload));
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(from.data());
    Bytes wanted = test::ip6_packet(row.wanted, Bytes(row.payload));
    wanted[7] = 63;
    wanted.resize(40);
    EXPECT_EQ(bytes_of_header(ipv4_to_ipv6(ip, source, destination, 63)), wanted) << row.name;
  }
}

TEST(XlatHeaders, Ipv6ToIpv4) {
  const Bytes options{6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Bytes atomic{17, 0, 0, 0, 0xab, 0xcd, 0x12, 0x34};
  struct Row {
    const char* name;
    test::Ip6 from;
    Bytes extensions;
    size_t payload;
    test::Ip4 wanted;
  };
  const Row rows[] = {
      {"1,260 bytes", {}, {}, 1240, {.id = 7, .fragment = 0}},
      {"1,261 bytes", {}, {}, 1241, {.id = 7}},
      {"nothing", {}, {}, 0, {.id = 7, .fragment = 0}},
      {"as long as can be", {}, {}, 65515, {.id = 7}},
      {"ICMPv6", {.next_header = 58}, {}, 8, {.protocol = 1, .id = 7, .fragment = 0}},
      {"traffic class and flow label",
       {.traffic_class = 0xb9, .flow_label = 0xfffff},
       {},
       20,
       {.tos = 0xb9, .id = 7, .fragment = 0}},
      {"options count not", {.next_header = 60}, options, 1240, {.id = 7, .fragment = 0}},
      {"atomic fragment",
       {.next_header = 44},
       atomic,
       20,
       {.protocol = 17, .id = 0x1234, .fragment = 0}},
      {"large atomic fragment",
       {.next_header = 44},
       atomic,
       1400,
       {.protocol = 17, .id = 0x1234, .fragment = 0}},
  };
  for (const Row& row : rows) {
    const Bytes behind = row.extensions + Bytes(row.payload);
    const Bytes from = test::ip6_packet(row.from, behind);
    const auto& ip = *reinterpret_cast<const Ipv6Header*>(from.data());
    test::Ip4 wanted_header = row.wanted;
    wanted_header.ttl = 63;
    Bytes wanted = test::ip4_packet(wanted_header, Bytes(row.payload));
    wanted.resize(20);
    const Ipv6Payload payload = find_upper_layer(ip, behind);
    ASSERT_EQ(payload.fault, Ipv6Fault::kNone) << row.name;
    const Ipv4Header made = ipv6_to_ipv4(ip, payload, ip4(10, 1, 0, 1), ip4(10, 3, 0, 1), 63, 7);
    EXPECT_EQ(bytes_of_header(made), wanted) << row.name;
  }
}

TEST(XlatHeaders, ChecksumIsRightOfAnyFields) {
  std::mt19937 random(14);
  for (int round = 0; round < test::rounds(50'000); ++round) {
    const auto word = [&] { return static_cast<uint16_t>(random() % 8 == 0 ? 0xffff : random()); };
    const Ipv4Header made = make_ipv4_header(
        static_cast<uint8_t>(word()), word(), static_cast<uint8_t>(word()),
        be32::from_host(uint32_t{word()} << 16 | word()), be32::from_host(uint32_t{word()}),
        static_cast<uint8_t>(word()), be16::from_host(word()), be16::from_host(word()));
    ASSERT_EQ(test::reference_checksum(bytes_of_header(made)), 0);
  }
}

TEST(XlatHeaders, UpperChecksumsChangeByAddressesAlone) {
  // What xlat.h says of the two pseudo headers: 20 bytes of TCP in both families.
  const Ipv6Address source6 = ip6(1, 1), destination6 = ip6(3, 1);
  const Ipv4Address source4 = ip4(10, 1, 0, 1), destination4 = ip4(10, 3, 0, 1);
  Bytes segment(21, 0x33);
  test::store_checksum(segment, 16, 0);
  test::store_checksum(segment, 16, test::checksum6(source6, destination6, 6, segment));
  const uint64_t before =
      checksum_sum(source6.bytes.data(), 16) + checksum_sum(destination6.bytes.data(), 16);
  const uint64_t after = uint64_t{source4.raw} + destination4.raw;
  auto& checksum = reinterpret_cast<TcpHeader*>(segment.data())->checksum;
  checksum = ChecksumDelta::apply(
      checksum, uint32_t{static_cast<uint16_t>(~checksum_fold(before))} + checksum_fold(after));
  EXPECT_EQ(test::checksum4(source4, destination4, 6, segment), 0);
}

}  // namespace
}  // namespace sluice::net
