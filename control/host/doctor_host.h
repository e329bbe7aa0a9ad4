// SPDX-License-Identifier: BSD-3-Clause
// What a host gives Sluice to run on, judged by a configuration: memory, CPUs, devices. Reads /sys
// and asks the kernel about interfaces; needs no running sluice.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "control/common/finding.h"
#include "control/config/config.h"
#include "control/host/host_files.h"
#include "control/host/link_mtu.h"

namespace sluice::control {

// `sys` is /sys outside of tests.
std::vector<Diagnosis> examine_memory(const Config& config, const std::filesystem::path& sys);
std::vector<Diagnosis> examine_cpus(const Config& config, const std::filesystem::path& sys);
std::vector<Diagnosis> examine_pci_devices(const Config& config, const std::filesystem::path& sys);
// AF_PACKET devices: their kernel interface, and a veth's other end.
std::vector<Diagnosis> examine_kernel_interfaces(const Config& config);

// Whether all interfaces carry the same packets; `mtus` in the order of Config::interfaces.
std::vector<Diagnosis> examine_mtus(const Config& config, const std::vector<LinkMtu>& mtus);
std::vector<LinkMtu> ask_mtus(const Config& config);
// Interfaces whose packets the kernel forwards as well. `ingress_drop` is what hinders the rule
// that keeps Sluice's from it, empty where nothing does; absent where no sluice runs that could
// say.
std::vector<Diagnosis> examine_forwarding(const Config& config,
                                          const std::optional<std::string>& ingress_drop);

// The NUMA node that a CPU belongs to, 0 where there is but one.
uint32_t node_of_cpu(uint32_t cpu, const std::filesystem::path& sys);

}  // namespace sluice::control
