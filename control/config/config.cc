// SPDX-License-Identifier: BSD-3-Clause
// What follows from the configuration's values.
#include "control/config/config.h"

#include <stdexcept>

namespace sluice::control {

net::VlanIds vlan_of(const InterfaceConfig& interface) {
  return {static_cast<uint16_t>(interface.vlan.value_or(0)),
          static_cast<uint16_t>(interface.outer_vlan.value_or(0))};
}

std::optional<std::string> kernel_interface_of(const std::string& device) {
  constexpr std::string_view kKey = ",iface=";
  const size_t begin = device.find(kKey);
  if (begin == std::string::npos) return std::nullopt;
  const size_t start = begin + kKey.size();
  return device.substr(start, device.find(',', start) - start);
}

std::vector<std::string> carriers_of(const InterfaceConfig& interface) {
  if (!interface.members.empty()) return interface.members;
  return {interface.device};
}

std::vector<std::string> carriers_of(const Config& config) {
  std::vector<std::string> all;
  for (const InterfaceConfig& interface : config.interfaces) {
    const std::vector<std::string> carriers = carriers_of(interface);
    all.insert(all.end(), carriers.begin(), carriers.end());
  }
  return all;
}

const LocalPoolConfig& local_pool_of(const Config& config, const ServiceConfig& service) {
  for (const LocalPoolConfig& pool : config.local_pools) {
    if (pool.name == service.local_pool) return pool;
  }
  throw std::logic_error("a service names a local_pool that the check let pass");
}

}  // namespace sluice::control
