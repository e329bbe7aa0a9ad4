// SPDX-License-Identifier: BSD-3-Clause
// What families of cards need beside a driver, by their PCI numbers: docs/hardware.md has the rest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "control/common/finding.h"

namespace sluice::control {

// `device` is the card's folder below /sys/bus/pci/devices, `sys` /sys outside of tests; firmware
// is looked for beside that. `address` names it.
std::vector<Diagnosis> examine_needs(const std::string& address,
                                     const std::filesystem::path& device,
                                     const std::filesystem::path& sys);

}  // namespace sluice::control
