// SPDX-License-Identifier: BSD-3-Clause
// Ports on models of the devices that Sluice may meet, each with what its driver's source says.
#include "dataplane/port/port.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "dataplane/net/frame_size.h"
#include "dataplane/port/port_device.h"
#include "dataplane/port/rss_setup.h"
#include "tests/devices/ethdev_model.h"

namespace sluice::test {
namespace {

constexpr const char* kName = "0000:00:05.0";

class PortOnModel : public testing::Test {
 protected:
  PortOnModel() : device((EthdevModel::clear(), EthdevModel::add(kName))) {}

  Port start(size_t workers, PortOptions options = {}, const std::string& arguments = "") {
    return Port(kName + arguments, std::vector<rte_mempool*>(workers, nullptr), std::move(options));
  }
  std::string refusal(size_t workers, PortOptions options = {}) {
    try {
      start(workers, std::move(options));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  DeviceModel& device;
};

TEST_F(PortOnModel, GivesTheArgumentsToTheDriver) {
  const Port port = start(1, {}, ",speed=40000");
  EXPECT_EQ(device.arguments, ",speed=40000");
  EXPECT_EQ(port.name(), kName);
}

// ---- queues -------------------------------------------------------------------------------------

// vmxnet3_dev_configure() of a device below version 6; the RETA is there once RSS is configured.
void be_vmxnet3(DeviceModel& device) {
  device.info.driver_name = "net_vmxnet3";
  device.info.max_rx_queues = 16;
  device.info.max_tx_queues = 8;
  device.info.rx_desc_lim = {.nb_max = 4096, .nb_min = 128, .nb_align = 1};
  device.info.tx_desc_lim = {.nb_max = 4096, .nb_min = 512, .nb_align = 1};
  device.info.hash_key_size = 0;
  device.info.reta_size = 0;
  device.key_can_be_read = false;  // no rss_hash_conf_get
  device.configure = [](const DeviceModel& now) {
    return std::has_single_bit(now.rx_queues) ? 0 : -EINVAL;
  };
}

TEST_F(PortOnModel, Vmxnet3HasPowersOfTwo) {
  be_vmxnet3(device);
  for (const auto& [workers, rx] : {std::pair{1, 1}, {2, 2}, {3, 2}, {6, 4}, {8, 8}}) {
    const Port port = start(static_cast<size_t>(workers));
    EXPECT_EQ(port.rx_queue_count(), rx) << workers;
    EXPECT_EQ(port.tx_queue_count(), workers) << "each has one to send by";
  }
}

TEST_F(PortOnModel, Vmxnet3SpreadsThoughItHasNoRetaBefore) {
  be_vmxnet3(device);
  const Port port = start(4);
  ASSERT_TRUE(port.rss()) << port.no_rss_reason();
  EXPECT_EQ(port.rss()->reta.size(), 128u);
  EXPECT_TRUE(std::ranges::equal(port.rss()->key, rss_key(40))) << "the one that it was given";
}

TEST_F(PortOnModel, ADriverThatKeepsAKeyOfItsOwnToItselfIsNotBelieved) {
  be_vmxnet3(device);
  device.configure = [](const DeviceModel& now) {
    return now.conf.rx_adv_conf.rss_conf.rss_key == nullptr ? 0 : -EINVAL;
  };
  const Port port = start(4);
  EXPECT_FALSE(port.rss());
  EXPECT_NE(port.no_rss_reason().find("key cannot be read"), std::string::npos);
}

// ixgbe_dev_check_mq_mode(): under SR-IOV no more than the queues of a pool, of both kinds.
TEST_F(PortOnModel, IxgbeUnderSrIovHasAPoolsQueues) {
  for (const int of_pool : {4, 2, 1}) {
    device.info.max_rx_queues = device.info.max_tx_queues = 128;
    device.configure = [=](const DeviceModel& now) {
      return now.rx_queues > of_pool || now.tx_queues > of_pool ? -EINVAL : 0;
    };
    const Port port = start(6);
    EXPECT_EQ(port.rx_queue_count(), of_pool);
    EXPECT_EQ(port.tx_queue_count(), of_pool);
  }
}

// ixgbevf_dev_rx_init(): a VF that is not to be started with three.
TEST_F(PortOnModel, AnIxgbeVfRefusesAtTheStart) {
  device.start = [](const DeviceModel& now) { return std::has_single_bit(now.rx_queues) ? 0 : -1; };
  EXPECT_EQ(start(3).rx_queue_count(), 2);
}

TEST_F(PortOnModel, E1000HasOneOfEach) {
  device.info.driver_name = "net_e1000_em";
  device.info.max_rx_queues = 1;
  device.info.max_tx_queues = 2;  // em_ethdev.c says so of chips that have one
  device.info.flow_type_rss_offloads = 0;
  const Port port = start(4);
  EXPECT_EQ(port.rx_queue_count(), 1);
  EXPECT_EQ(port.tx_queue_count(), 1);
  EXPECT_FALSE(port.rss());
}

TEST_F(PortOnModel, WhatTheDeviceHasAgainstTheFirstTryIsSaid) {
  device.configure = [](const DeviceModel& now) { return now.rx_queues > 1 ? -EINVAL : -ENODEV; };
  EXPECT_NE(refusal(4).find("configure: Invalid argument"), std::string::npos) << refusal(4);
}

TEST_F(PortOnModel, InterruptsAreLeftOutWhereTheyAreRefused) {
  device.configure = [](const DeviceModel& now) { return now.conf.intr_conf.rxq ? -EINVAL : 0; };
  EXPECT_EQ(start(4, {.rx_interrupts = true}).rx_queue_count(), 4);
}

// eth_em_start(): "lsc won't enable because of no intr multiplex"; ethdev then shows the link that
// it saw first for ever.
TEST_F(PortOnModel, TheLinkIsAskedForWhereQueuesInterrupt) {
  device.dev_flags = RTE_ETH_DEV_INTR_LSC;
  {
    const Port port = start(1, {.rx_interrupts = true});
    EXPECT_EQ(device.conf.intr_conf.rxq, 1u);
    EXPECT_EQ(device.conf.intr_conf.lsc, 0u);
  }
  const Port port = start(1);
  EXPECT_EQ(device.conf.intr_conf.lsc, 1u);
}

TEST_F(PortOnModel, AQueueThatIsFullDropsWhereOthersShareThePort) {
  {
    const Port port = start(1);
    EXPECT_EQ(device.rx.at(0).rx_drop_en, 0);
  }
  const Port port = start(2);
  for (const rte_eth_rxconf& queue : device.rx) EXPECT_EQ(queue.rx_drop_en, 1);
}

// ena: 128 to 8,192 in powers of two; gve: exactly as many as it was told; e1000: multiples of 8.
TEST_F(PortOnModel, DescriptorsAreWhatTheDriverAllows) {
  struct Case {
    rte_eth_desc_lim limits;
    uint16_t count;
  };
  for (const auto& [limits, count] : {Case{{.nb_max = 8192, .nb_min = 128, .nb_align = 1}, 1024},
                                      Case{{.nb_max = 512, .nb_min = 512, .nb_align = 1}, 512},
                                      Case{{.nb_max = 768, .nb_min = 64, .nb_align = 8}, 512},
                                      Case{{.nb_max = 4096, .nb_min = 2048, .nb_align = 8}, 2048},
                                      Case{{.nb_max = 4096, .nb_min = 1030, .nb_align = 8}, 1032},
                                      Case{{.nb_max = 0, .nb_min = 0, .nb_align = 0}, 1024}}) {
    EXPECT_EQ(descriptor_count(limits), count);
  }
  device.info.rx_desc_lim = {.nb_max = 256, .nb_min = 256, .nb_align = 1};
  const Port port = start(2);
  EXPECT_EQ(device.rx_descriptors, 256);
  EXPECT_EQ(device.tx_descriptors, 1024);
}

// ---- multicast ----------------------------------------------------------------------------------

const std::vector<net::MacAddress> kSolicited = {{{0x33, 0x33, 0xff, 0, 0, 1}}};

TEST_F(PortOnModel, TakesAllMulticast) {
  const Port port = start(1, {.groups = kSolicited});
  EXPECT_TRUE(device.hears_all);
  EXPECT_EQ(port.multicast().reception(), Multicast::Reception::kAll);
}

bool is_in(const std::vector<rte_ether_addr>& groups, const net::MacAddress& group) {
  return std::ranges::any_of(groups, [&](const rte_ether_addr& one) {
    return std::ranges::equal(one.addr_bytes, group.bytes);
  });
}

TEST_F(PortOnModel, NamesTheGroupsWhereTheDriverCannotTakeAll) {
  device.all_multicast = false;
  Port port = start(1, {.groups = kSolicited});
  EXPECT_EQ(port.multicast().reception(), Multicast::Reception::kGroups);
  const net::MacAddress vrrp{{0x01, 0x00, 0x5e, 0, 0, 0x12}}, lldp{{0x01, 0x80, 0xc2, 0, 0, 0x0e}};
  EXPECT_TRUE(is_in(device.groups, vrrp));
  EXPECT_TRUE(is_in(device.groups, lldp));
  EXPECT_TRUE(is_in(device.groups, kSolicited[0]));
  const net::MacAddress other{{0x33, 0x33, 0xff, 0, 0, 2}};
  port.hear({other});
  EXPECT_TRUE(is_in(device.groups, other));
  EXPECT_FALSE(is_in(device.groups, kSolicited[0]));
}

// ena, gve and mana have neither.
TEST_F(PortOnModel, SaysWhereADeviceTakesNoMulticast) {
  device.all_multicast = device.multicast_list = false;
  const Port port = start(1);
  EXPECT_EQ(port.multicast().reception(), Multicast::Reception::kNone);
  EXPECT_FALSE(port.multicast().reason().empty());
}

// ---- MTU ----------------------------------------------------------------------------------------

TEST_F(PortOnModel, LeavesTheMtuAloneUnlessAsked) {
  EXPECT_EQ(start(1).mtu(), 1500);
}

TEST_F(PortOnModel, SetsTheMtu) {
  EXPECT_EQ(start(1, {.mtu = 9000}).mtu(), 9000);
  EXPECT_EQ(device.conf.rxmode.mtu, 9000u) << "where drivers size their queues by";
}

// netvsc has no mtu_set: what it is configured with counts.
TEST_F(PortOnModel, AnMtuOfTheConfigurationIsEnough) {
  device.has_mtu_set = false;
  EXPECT_EQ(start(1, {.mtu = 9000}).mtu(), 9000);
}

TEST_F(PortOnModel, NamesAnMtuThatTheDeviceRefuses) {
  device.info.max_mtu = 8896;
  device.info.max_rx_pktlen = 8910;
  const std::string said = refusal(1, {.mtu = 9000});
  EXPECT_NE(said.find("MTU 9000: the device takes at most 8896"), std::string::npos) << said;
  EXPECT_FALSE(device.running);
}

// A frame's place in the ring fits into a buffer, and blocks are of whole pages and whole frames.
TEST(WithDefaults, RingsOfNetAfPacketHoldTheMtu) {
  const std::string lb0 = "net_af_packet0,iface=lb0";
  EXPECT_EQ(with_defaults(lb0, 1, 0), lb0 + ",framecnt=4096");
  EXPECT_EQ(with_defaults(lb0, 1, 1500), lb0 + ",framecnt=4096");
  EXPECT_EQ(with_defaults(lb0, 2, 9000),
            lb0 + ",framesz=9216,blocksz=36864,framecnt=4096,qpairs=2");
  EXPECT_EQ(with_defaults(lb0 + ",framesz=16384", 1, 9000), lb0 + ",framesz=16384,framecnt=4096")
      << "with a blocksz of his own";
  EXPECT_EQ(with_defaults("net_tap0,iface=x", 4, 9000), "net_tap0,iface=x");
  for (const uint32_t mtu : {576u, 1968u, 1969u, 4000u, 9000u, 9978u}) {
    EXPECT_GE(net::buffer_bytes_for(mtu), mtu + 80) << mtu;
    EXPECT_EQ(4 * net::buffer_bytes_for(mtu) % 4096, 0u);
  }
}

// ---- a device that is reset, and one that comes and goes ----------------------------------------

TEST_F(PortOnModel, IsAfterAResetWhatItWasBefore) {
  device.dev_flags = RTE_ETH_DEV_INTR_LSC | RTE_ETH_DEV_INTR_RMV;
  Port port = start(4, {.mtu = 9000, .groups = kSolicited});
  EXPECT_EQ(device.conf.intr_conf.lsc, 1u);
  EXPECT_EQ(device.conf.intr_conf.rmv, 1u);
  device.mac.addr_bytes[5] = 9;
  port.reset();
  EXPECT_EQ(device.resets, 1);
  EXPECT_EQ(device.rx_queues, 4);
  EXPECT_EQ(device.mtu, 9000);
  EXPECT_TRUE(device.hears_all);
  EXPECT_TRUE(device.running);
  EXPECT_TRUE(port.rss());
  EXPECT_EQ(port.mac().bytes[5], 9) << "a PF may give its VF another one";
}

TEST_F(PortOnModel, AResetThatFailsMayBeTriedAgain) {
  Port port = start(2);
  device.reset_result = -EAGAIN;
  EXPECT_THROW(port.reset(), std::runtime_error);
  device.reset_result = 0;
  port.reset();
  EXPECT_TRUE(device.running);
}

TEST_F(PortOnModel, IsTakenBackUnderItsNumber) {
  DeviceModel& other = EthdevModel::add("0000:00:06.0");
  Port port = start(2, {}, ",speed=40000");
  Port second("0000:00:06.0", {nullptr});
  ASSERT_EQ(port.id(), 0);
  ASSERT_EQ(second.id(), 1);
  device.present = other.present = false;
  port.leave();
  second.leave();
  EXPECT_TRUE(port.is_gone());
  EXPECT_FALSE(port.link_up());
  EXPECT_EQ(device.closes, 1);
  EXPECT_THROW(port.come_back(), std::runtime_error);

  other.present = true;
  EXPECT_THROW(second.come_back(), std::runtime_error) << "ethdev has given it the other's number";
  device.present = true;
  device.arguments.clear();
  port.come_back();
  EXPECT_EQ(device.arguments, ",speed=40000");
  EXPECT_TRUE(device.running);
  second.come_back();
  EXPECT_EQ(second.id(), 1);
  EXPECT_TRUE(other.running);
}

}  // namespace
}  // namespace sluice::test
