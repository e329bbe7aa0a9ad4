// SPDX-License-Identifier: BSD-3-Clause
// RFC 4291, 2.7.1: ff02::1:ff and the last three bytes; on Ethernet 33:33 and the last four of
// these.
#include "control/daemon/core/multicast_groups.h"

#include <algorithm>

#include "control/config/link_addresses.h"

namespace sluice::control {

std::vector<net::MacAddress> multicast_groups(const Config& config,
                                              std::optional<net::MacAddress> mac) {
  std::vector<net::MacAddress> groups;
  const auto add = [&](const IpAddress& ip) {
    if (ip.is_v4()) return;
    const auto b = ip.bytes();
    const net::MacAddress group{{0x33, 0x33, 0xff, b[13], b[14], b[15]}};
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  };
  for (const InterfaceConfig& interface : config.interfaces) {
    const auto all = mac ? all_addresses(interface, *mac) : interface.addresses;
    for (const IpPrefix& own : all) add(own.address);
  }
  for (const LocalPoolConfig& pool : config.local_pools) {
    for (const IpAddress& ip : pool.addresses) add(ip);
  }
  for (const ServiceConfig& service : config.services) add(service.vip.ip);
  return groups;
}

}  // namespace sluice::control
