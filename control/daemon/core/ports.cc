// SPDX-License-Identifier: BSD-3-Clause
// One port a device.
#include "control/daemon/core/ports.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/common/errors.h"
#include "control/config/device_text.h"
#include "control/daemon/core/multicast_groups.h"
#include "control/daemon/log/log.h"
#include "control/host/link_mtu.h"

namespace sluice::control {
namespace {

// Of several interfaces on a device the largest MTU is its, with room for what the kernel counts
// in.
PortOptions options_of(const Config& config, const std::string& device) {
  PortOptions options{.rx_interrupts = config.eal.idle == IdleMode::kSleep,
                      .groups = multicast_groups(config)};
  for (const InterfaceConfig& interface : config.interfaces) {
    if (eal_device(interface.device) != device) continue;
    const uint32_t mtu = interface.mtu ? *interface.mtu + stacked_tag_bytes(interface) : 0;
    options.mtu = std::max(options.mtu, static_cast<uint16_t>(mtu));
    options.vlan_tags |= interface.vlan.has_value();
    options.members.clear();
    for (const std::string& member : interface.members) {
      options.members.push_back(eal_device(member));
    }
  }
  return options;
}

}  // namespace

std::string dpdk_reason(const std::exception& error) {
  const std::string logged = last_dpdk_errors();
  return logged.empty() ? error.what() : fmt::format("{} ({})", error.what(), logged);
}

void Ports::start(const Config& config, const std::vector<rte_mempool*>& packets) {
  devices_.reserve(config.interfaces.size());  // ports do not move
  std::vector<std::string> names;
  for (const InterfaceConfig& interface : config.interfaces) {
    const std::string device = eal_device(interface.device);
    const auto known = std::ranges::find(names, device);
    device_of_.push_back(static_cast<size_t>(known - names.begin()));
    if (known != names.end()) continue;
    names.push_back(device);
    try {
      devices_.emplace_back(device, packets, options_of(config, device));
    } catch (const std::exception& error) {
      throw StartError(fmt::format("interface {}: DPDK refuses the device \"{}\": {}",
                                   interface.name, interface.device, dpdk_reason(error)));
    }
  }
}

size_t Ports::first_interface(size_t device) const {
  return static_cast<size_t>(std::ranges::find(device_of_, device) - device_of_.begin());
}

std::vector<Attachment> attachments_of(const Config& config, const Ports& ports) {
  std::vector<Attachment> all;
  for (size_t i = 0; i < ports.size(); ++i) {
    all.push_back({ports[i].id(), vlan_of(config.interfaces[i])});
  }
  return all;
}

}  // namespace sluice::control
