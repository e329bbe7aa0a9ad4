// SPDX-License-Identifier: BSD-3-Clause
// A model of ethdev and of the devices behind it: what a driver says of itself, what it takes and
// what it refuses, as its source in DPDK 22.11 has it.
//
// The functions of ethdev that Sluice calls are defined here in the place of the library's, so that
// nothing but a description of the device is needed. Every call is kept for the test to look at.
#pragma once

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

struct DeviceModel {
  DeviceModel();

  // What it is.
  rte_eth_dev_info info{};
  uint32_t dev_flags = 0;
  bool all_multicast = true;   // the driver has allmulticast_enable
  bool multicast_list = true;  // and set_mc_addr_list
  bool key_can_be_read = true;
  bool has_mtu_set = true;
  bool present = true;  // on its bus
  uint16_t reta_size_configured = 128;
  // What it has against a configuration, as the driver's dev_configure and dev_start return it.
  std::function<int(const DeviceModel&)> configure = [](const DeviceModel&) { return 0; };
  std::function<int(const DeviceModel&)> start = [](const DeviceModel&) { return 0; };
  int reset_result = 0;

  // What was asked of it.
  uint16_t rx_queues = 0, tx_queues = 0;
  rte_eth_conf conf{};
  std::vector<rte_eth_rxconf> rx;
  uint16_t rx_descriptors = 0, tx_descriptors = 0;
  uint16_t mtu = 1500;
  std::vector<uint16_t> reta;
  std::vector<uint8_t> key;
  std::vector<rte_ether_addr> groups;
  bool hears_all = false;
  bool running = false;
  int configured = 0, resets = 0, closes = 0;
  std::string arguments;  // behind its name, when it was probed
  bool link_up = true;
  rte_eth_stats stats{};

  rte_ether_addr mac{{2, 0, 0, 0, 0, 7}};
};

/// The bus: devices by name. Those that are added can be probed and get the lowest free number.
class EthdevModel {
 public:
  /// Forgets all devices; to be called before each test.
  static void clear();
  static DeviceModel& add(const std::string& name);
  static DeviceModel& at(const std::string& name);
  /// Has the drivers' interrupt thread report an event of a port.
  static void raise(uint16_t port, rte_eth_event_type event);
  /// Has the bus report that a device is to go.
  static void ask_back(const std::string& name);
};

}  // namespace sluice::test
