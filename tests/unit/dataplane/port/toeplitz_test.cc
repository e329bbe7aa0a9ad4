// SPDX-License-Identifier: BSD-3-Clause
// The RSS hash against the vectors of its specification, and against DPDK's.
#include "dataplane/port/toeplitz.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <random>

#include "tests/unit/dataplane/port/nic_model.h"

namespace sluice::net {
namespace {

Endpoint at(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  return {be32::from_host(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d),
          be16::from_host(port)};
}

TEST(Toeplitz, IsTheOneOfTheSpecification) {
  // "Verifying the RSS Hash Calculation", with ports.
  const Toeplitz toeplitz(test::kMicrosoftKey);
  EXPECT_EQ(toeplitz.hash(at(66, 9, 149, 187, 2794), at(161, 142, 100, 80, 1766)), 0x51ccc178u);
  EXPECT_EQ(toeplitz.hash(at(199, 92, 111, 2, 14230), at(65, 69, 140, 83, 4739)), 0xc626b0eau);
  EXPECT_EQ(toeplitz.hash(at(24, 19, 198, 95, 12898), at(12, 22, 207, 184, 38024)), 0x5c2b394au);
  EXPECT_EQ(toeplitz.hash(at(38, 27, 205, 30, 48228), at(209, 142, 163, 6, 2217)), 0xafc7327fu);
  EXPECT_EQ(toeplitz.hash(at(153, 39, 163, 191, 44251), at(202, 188, 127, 2, 1303)), 0x10e828a2u);
}

TEST(Toeplitz, AgreesWithDpdkUnderEveryKey) {
  std::mt19937 random(3);
  for (const auto& [name, key] : test::kRssKeys) {
    const Toeplitz toeplitz(key);
    for (int i = 0; i < 2000; ++i) {
      const Endpoint from{{static_cast<uint32_t>(random())}, {static_cast<uint16_t>(random())}};
      const Endpoint to{{static_cast<uint32_t>(random())}, {static_cast<uint16_t>(random())}};
      uint32_t tuple[3] = {from.ip.host(), to.ip.host(),
                           uint32_t{from.port.host()} << 16 | to.port.host()};
      const uint32_t wanted = rte_softrss(tuple, 3, key.data());
      ASSERT_EQ(toeplitz.hash(from, to), wanted) << name;
      const uint32_t rest = toeplitz.hash(from, {to.ip, {0}});
      ASSERT_EQ(rest ^ toeplitz.destination_port(to.port.host()), wanted) << name;
    }
  }
}

}  // namespace
}  // namespace sluice::net
