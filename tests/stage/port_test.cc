// SPDX-License-Identifier: BSD-3-Clause
// Software devices with several queues, as far as DPDK 22.11 lets them steer: what net_null says of
// its RSS is set and read back, and what net_tap cannot do is refused with a reason.
#include "dataplane/port/port.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "dataplane/port/flow_rules.h"
#include "dataplane/port/rss_setup.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

std::vector<rte_mempool*> pools(size_t workers) {
  return std::vector<rte_mempool*>(workers, packet_pool());
}

bool is_rss_key(const uint8_t* bytes, size_t length) {
  return std::ranges::equal(std::span(bytes, length), rss_key(static_cast<uint8_t>(length)));
}

TEST(Port, SpreadsAndReadsBackRss) {
  for (const uint32_t workers : {2u, 3u, 4u, 16u}) {
    // Its receive queues fill themselves: without traffic to be, there is only what it says.
    const Port port("net_null" + std::to_string(100 + workers) + ",no-rx=1", pools(workers));
    ASSERT_EQ(port.rx_queue_count(), workers);
    ASSERT_TRUE(port.rss()) << port.no_rss_reason();
    EXPECT_TRUE(is_rss_key(port.rss()->key.data(), port.rss()->key.size()));
    for (size_t i = 0; i < port.rss()->reta.size(); ++i) {
      ASSERT_EQ(port.rss()->reta[i], i % workers);
    }
  }
}

rte_eth_conf configuration_kept_of(uint16_t port) {
  rte_eth_conf kept{};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // DPDK calls it experimental
  EXPECT_EQ(rte_eth_dev_conf_get(port, &kept), 0);
#pragma GCC diagnostic pop
  return kept;
}

// igb, ixgbe, i40e and ena read the key through ethdev's copy of the configuration when the port
// starts, so the pointer in it must be good for as long as the port is there.
TEST(Port, LeavesAnRssKeyWithEthdevThatLasts) {
  const Port first("net_null95,no-rx=1", pools(2)), second("net_null96,no-rx=1", pools(4));
  for (const Port* port : {&first, &second}) {
    const rte_eth_rss_conf rss = configuration_kept_of(port->id()).rx_adv_conf.rss_conf;
    ASSERT_NE(rss.rss_key, nullptr);
    EXPECT_TRUE(is_rss_key(rss.rss_key, rss.rss_key_len));
  }
}

TEST(Port, OneWorkerNeedsNoRss) {
  const Port port("net_null99,no-rx=1", pools(1));
  EXPECT_EQ(port.rx_queue_count(), 1);
  EXPECT_FALSE(port.rss());
}

TEST(Port, ADeviceOfOneQueueSaysSo) {
  const Port port("net_ring97", pools(2));
  EXPECT_FALSE(port.rss());
  EXPECT_FALSE(port.no_rss_reason().empty());
}

TEST(FlowRules, NetTapRefusesMasksOfPorts) {
  if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
    GTEST_SKIP() << "net_tap takes root and /dev/net/tun";
  }
  const Port port("net_tap91,iface=slt" + std::to_string(getpid()), pools(2));
  EXPECT_FALSE(port.rss()) << "22.11 has no table to read";
  EXPECT_NE(FlowRules(port.id(), 2).refusal(ip4(10, 2, 0, 1)), "")
      << "its tc filters know exact ports alone";
}

TEST(FlowRules, ADeviceWithoutRulesRefuses) {
  const Port port("net_null98,no-rx=1", pools(2));
  FlowRules rules(port.id(), 2);
  EXPECT_NE(rules.refusal(ip4(10, 2, 0, 1)), "");
  EXPECT_NE(rules.set({ip4(10, 2, 0, 1)}), "");
  EXPECT_EQ(rules.set({}), "");
  const net::IpAddress ip6 = net::Ipv6Address{{0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  EXPECT_NE(rules.refusal(ip6), "");
  EXPECT_NE(rules.set({ip6}).find("fd00:2::1"), std::string::npos);
}

}  // namespace
}  // namespace sluice::test
