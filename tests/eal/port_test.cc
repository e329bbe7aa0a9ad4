// SPDX-License-Identifier: BSD-3-Clause
// Software devices with several queues, as far as DPDK 22.11 lets them steer: what net_null says of
// its RSS is set and read back, and what net_tap cannot do is refused with a reason.
#include "dataplane/port.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "dataplane/flow_rules.h"
#include "dataplane/rss_setup.h"
#include "tests/eal/stage.h"

namespace sluice::test {
namespace {

std::vector<rte_mempool*> pools(size_t workers) {
  return std::vector<rte_mempool*>(workers, packet_pool());
}

TEST(Port, SpreadsAndReadsBackRss) {
  for (const uint32_t workers : {2u, 3u, 4u, 16u}) {
    // Its receive queues fill themselves: without traffic to be, there is only what it says.
    const Port port("net_null" + std::to_string(100 + workers) + ",no-rx=1", pools(workers));
    ASSERT_EQ(port.rx_queue_count(), workers);
    ASSERT_TRUE(port.rss()) << port.no_rss_reason();
    EXPECT_EQ(port.rss()->key, rss_key(port.rss()->key.size()));
    for (size_t i = 0; i < port.rss()->reta.size(); ++i) {
      ASSERT_EQ(port.rss()->reta[i], i % workers);
    }
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
}

}  // namespace
}  // namespace sluice::test
