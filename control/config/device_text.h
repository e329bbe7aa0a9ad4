// SPDX-License-Identifier: BSD-3-Clause
// What a device in a configuration is, by its text.
#pragma once

#include <string>

namespace sluice::control {

// The part of a device that names it: "net_af_packet0" of "net_af_packet0,iface=eth0".
std::string device_name(const std::string& device);
// "eth1", "enp59s0f0": EAL's devices have a colon (PCI), an underscore (drivers) or a dot in them.
bool looks_like_a_kernel_interface(const std::string& device);
// The whole address of a PCI device as DPDK spells it, "0000:3b:00.0"; empty for one of another
// kind.
std::string pci_address_of(const std::string& device);
// By its GUID, as Hyper-V's VMBus has it: netvsc.
bool is_vmbus_device(const std::string& device);
// Of either bus.
bool is_bus_device(const std::string& device);
// With the name that DPDK itself gives to a PCI device, and its arguments as they are.
std::string eal_device(const std::string& device);
// Of digits, colons and dots as a PCI address is, and none: "3b:00", "0000:3b:00.9".
bool is_wrong_pci_address(const std::string& name);

}  // namespace sluice::control
