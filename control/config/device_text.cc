// SPDX-License-Identifier: BSD-3-Clause
// Devices' names, as EAL, the kernel and PCI have them.
#include "control/config/device_text.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>

namespace sluice::control {

std::string device_name(const std::string& device) {
  return device.substr(0, device.find(','));
}

bool looks_like_a_kernel_interface(const std::string& device) {
  return std::ranges::all_of(
      device, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string pci_address_of(const std::string& device) {
  static const re2::RE2 address(
      "(?:0{0,4}([0-9a-f]{4}):)?([0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])(?:,.*)?");
  std::string lower = device_name(device), domain, rest;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!re2::RE2::FullMatch(lower, address, &domain, &rest)) return "";
  return (domain.empty() ? "0000" : domain) + ':' + rest;
}

bool is_vmbus_device(const std::string& device) {
  static const re2::RE2 guid("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  return re2::RE2::FullMatch(device_name(device), guid);
}

bool is_bus_device(const std::string& device) {
  return !pci_address_of(device).empty() || is_vmbus_device(device);
}

std::string eal_device(const std::string& device) {
  const std::string pci = pci_address_of(device);
  return pci.empty() ? device : pci + device.substr(device_name(device).size());
}

bool is_wrong_pci_address(const std::string& name) {
  if (name.find_first_not_of("0123456789abcdefABCDEF:.") != name.npos) return false;
  static const re2::RE2 address("([0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
  return !re2::RE2::FullMatch(name, address);
}

}  // namespace sluice::control
