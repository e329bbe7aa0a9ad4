// SPDX-License-Identifier: BSD-3-Clause
// The RSS hash against the vectors of its specification, and against DPDK's.
#include "dataplane/port/toeplitz.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <array>
#include <bit>
#include <cstring>
#include <random>

#include "tests/unit/dataplane/port/nic_model.h"

namespace sluice {
namespace {

using net::be16;
using net::be32;
using net::Ipv4Address;
using net::Ipv6Address;

Ipv4Address ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return be32::from_host(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d);
}
/// Of eight groups.
Ipv6Address ip(const std::array<uint16_t, 8>& groups) {
  Ipv6Address ip;
  for (size_t i = 0; i < groups.size(); ++i) {
    ip.bytes[2 * i] = static_cast<uint8_t>(groups[i] >> 8);
    ip.bytes[2 * i + 1] = static_cast<uint8_t>(groups[i]);
  }
  return ip;
}

template <class Address>
uint32_t hash(const Address& from, uint16_t from_port, const Address& to, uint16_t to_port) {
  return Toeplitz<Address>(test::kMicrosoftKey)
      .hash({from, to, be16::from_host(from_port), be16::from_host(to_port)});
}

// "Verifying the RSS Hash Calculation", with ports.
TEST(Toeplitz, IsTheOneOfTheSpecification) {
  EXPECT_EQ(hash(ip(66, 9, 149, 187), 2794, ip(161, 142, 100, 80), 1766), 0x51ccc178u);
  EXPECT_EQ(hash(ip(199, 92, 111, 2), 14230, ip(65, 69, 140, 83), 4739), 0xc626b0eau);
  EXPECT_EQ(hash(ip(24, 19, 198, 95), 12898, ip(12, 22, 207, 184), 38024), 0x5c2b394au);
  EXPECT_EQ(hash(ip(38, 27, 205, 30), 48228, ip(209, 142, 163, 6), 2217), 0xafc7327fu);
  EXPECT_EQ(hash(ip(153, 39, 163, 191), 44251, ip(202, 188, 127, 2), 1303), 0x10e828a2u);
}

TEST(Toeplitz, IsTheOneOfTheSpecificationForIpv6) {
  const Ipv6Address a = ip({0x3ffe, 0x2501, 0x200, 0x1fff, 0, 0, 0, 7}),
                    b = ip({0x3ffe, 0x2501, 0x200, 3, 0, 0, 0, 1}),
                    c = ip({0x3ffe, 0x501, 8, 0, 0x260, 0x97ff, 0xfe40, 0xefab}),
                    d = ip({0xff02, 0, 0, 0, 0, 0, 0, 1}),
                    e = ip({0x3ffe, 0x1900, 0x4545, 3, 0x200, 0xf8ff, 0xfe21, 0x67cf}),
                    f = ip({0xfe80, 0, 0, 0, 0x200, 0xf8ff, 0xfe21, 0x67cf});
  EXPECT_EQ(hash(a, 2794, b, 1766), 0x40207d3du);
  EXPECT_EQ(hash(c, 14230, d, 4739), 0xdde51bbfu);
  EXPECT_EQ(hash(e, 44251, f, 38024), 0x02d1feefu);
}

/// Words as rte_softrss wants them.
template <class Address>
uint32_t softrss(const RssTuple<Address>& tuple, const test::RssKey& key) {
  be32 words[sizeof tuple / 4];
  std::memcpy(words, &tuple, sizeof tuple);
  uint32_t input[std::size(words)];
  for (size_t i = 0; i < std::size(words); ++i) input[i] = words[i].host();
  return rte_softrss(input, std::size(input), key.data());
}

template <class Address>
void agrees_with_dpdk() {
  std::mt19937 random(3);
  for (const auto& [name, key] : test::kRssKeys) {
    const Toeplitz<Address> toeplitz(key);
    for (int i = 0; i < 2000; ++i) {
      std::array<uint8_t, sizeof(RssTuple<Address>)> bytes;
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      auto tuple = std::bit_cast<RssTuple<Address>>(bytes);
      const uint32_t wanted = softrss(tuple, key);
      ASSERT_EQ(toeplitz.hash(tuple), wanted) << name;
      const uint16_t port = tuple.destination_port.host();
      tuple.destination_port = {0};
      ASSERT_EQ(toeplitz.hash(tuple) ^ toeplitz.destination_port(port), wanted) << name;
    }
  }
}

TEST(Toeplitz, AgreesWithDpdkUnderEveryKey) {
  agrees_with_dpdk<Ipv4Address>();
  agrees_with_dpdk<Ipv6Address>();
}

}  // namespace
}  // namespace sluice
