// SPDX-License-Identifier: BSD-3-Clause
// Groups of the addresses that are ours.
#include "control/daemon/core/multicast_groups.h"

#include <gtest/gtest.h>

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

TEST(MulticastGroups, OfEachIpv6AddressAndOfTheLinkLocalOne) {
  Config config;
  config.interfaces.resize(1);
  config.interfaces[0].addresses = {*parse_prefix("10.1.0.1/16"), *parse_prefix("fd00:1::fe/64")};
  config.local_pools.resize(1);
  config.local_pools[0].addresses = {*parse_ip("fd00:2::12:3456")};
  config.services.resize(1);
  config.services[0].vip = *parse_endpoint("[fd00:3::fe]:80");
  using Groups = std::vector<net::MacAddress>;
  const net::MacAddress own{{0x33, 0x33, 0xff, 0, 0, 0xfe}},
      local{{0x33, 0x33, 0xff, 0x12, 0x34, 0x56}}, link_local{{0x33, 0x33, 0xff, 0xa, 0xb, 0xc}};
  EXPECT_EQ(multicast_groups(config), Groups({own, local})) << "each once";
  EXPECT_EQ(multicast_groups(config, net::MacAddress{{2, 0, 0, 0xa, 0xb, 0xc}}),
            Groups({own, link_local, local}));
  EXPECT_TRUE(multicast_groups(Config{}, net::MacAddress{{2}}).empty());
}

}  // namespace
}  // namespace sluice::control
