// SPDX-License-Identifier: BSD-3-Clause
// What a device is by its text, and how DPDK spells it.
#include "control/config/device_text.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

TEST(DeviceText, APciAddressHasOneSpelling) {
  EXPECT_EQ(pci_address_of("0000:3b:00.0"), "0000:3b:00.0");
  EXPECT_EQ(pci_address_of("3B:00.0,speed=40000"), "0000:3b:00.0");
  EXPECT_EQ(pci_address_of("00000001:00:05.7"), "0001:00:05.7");
  for (const char* other : {"net_af_packet0,iface=fe:ed", "3b:00", "0000:3b:00.9", "net_null0"}) {
    EXPECT_EQ(pci_address_of(other), "") << other;
  }
}

TEST(DeviceText, ArgumentsStayAsTheyAre) {
  EXPECT_EQ(eal_device("00:05.0,speed=40000,x=A"), "0000:00:05.0,speed=40000,x=A");
  EXPECT_EQ(eal_device("00:05.0"), "0000:00:05.0");
  EXPECT_EQ(eal_device("net_tap0,iface=Tap"), "net_tap0,iface=Tap");
}

TEST(DeviceText, AVmbusDeviceIsAGuid) {
  EXPECT_TRUE(is_vmbus_device("7ed1a5e0-7c2d-4a3a-9f3b-0123456789AB,latency=40"));
  EXPECT_FALSE(is_vmbus_device("7ed1a5e0-7c2d-4a3a-9f3b"));
  EXPECT_FALSE(is_vmbus_device("net_null0"));
}

}  // namespace
}  // namespace sluice::control
