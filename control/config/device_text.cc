// SPDX-License-Identifier: BSD-3-Clause
// Devices' names, as EAL, the kernel and PCI have them.
#include "control/config/device_text.h"

#include <re2/re2.h>

#include <algorithm>

namespace sluice::control {

std::string device_name(const std::string& device) {
  return device.substr(0, device.find(','));
}

bool looks_like_a_kernel_interface(const std::string& device) {
  return std::ranges::all_of(
      device, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool is_wrong_pci_address(const std::string& name) {
  if (name.find_first_not_of("0123456789abcdefABCDEF:.") != name.npos) return false;
  static const re2::RE2 address("([0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
  return !re2::RE2::FullMatch(name, address);
}

}  // namespace sluice::control
