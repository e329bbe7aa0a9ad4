// SPDX-License-Identifier: BSD-3-Clause
// What can be known to fail before DPDK is asked: permissions, interfaces, lcores, hugepages; and
// what can be mended or waited for instead.
//
// EAL and its drivers say little when they fail. Each check here throws StartError with one line
// that says what is wrong and the remedy.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/common/errors.h"
#include "control/config/config.h"

namespace sluice::control {

struct Hugepages {
  uint32_t free_mb = 0;
  uint32_t page_kb = 0;  // the size with the most free memory
};

// `sysfs` is /sys/kernel/mm/hugepages outside of tests.
Hugepages free_hugepages(const std::string& sysfs = "/sys/kernel/mm/hugepages");
// True when memory_mb of them are free. Else `advice` says how to get them.
bool use_hugepages(const EalConfig& eal, const Hugepages& free, std::string& advice);

// Why there can be no eal.multi_process without hugepages, and how to get it.
std::string no_secondaries(const std::string& advice);

// The devices that are on a bus (PCI, VMBus), with their arguments, as EAL is to be given them.
std::vector<std::string> bus_devices_of(const Config& config);

// What the configuration names and this machine lacks, one line each. For a check of the file
// alone, which may be made elsewhere: a start says more, and refuses. `sys` is /sys outside of
// tests.
std::vector<std::string> lacking_here(const Config& config, const std::string& sys = "/sys");

// Addresses of the configuration that the kernel has as well, one line each: two then answer for
// them.
struct KernelAddress {
  std::string interface;
  IpAddress ip;
};
std::vector<KernelAddress> kernel_addresses();
std::vector<std::string> owned_twice(const Config& config,
                                     const std::vector<KernelAddress>& kernel);

// The first mounted hugetlbfs that this process may write to; empty where there is none. `mounts`
// is /proc/mounts outside of tests.
std::string writable_hugetlbfs(const std::string& mounts = "/proc/mounts");
// Why there can be no eal.multi_process without one, and how to get it.
std::string no_hugetlbfs();

void check_lcores(const EalConfig& eal);

// What happens meanwhile, for the log.
using Say = std::function<void(const std::string&)>;
// Waits up to eal.interface_wait_seconds for devices that are not there yet: a bond that is still
// being made, a driver that is late. Who is missing then is named by those that look for it next.
void await_devices(const Config& config, const Say& say);
// Sets up the interfaces that are down.
void check_interfaces(const Config& config, const Say& say);
// Whether a device can be taken, or is still there: on its bus with a driver, a kernel interface by
// its number or (0) its name. One that is down is set up.
bool is_ready(const InterfaceConfig& item, unsigned kernel_index, const std::string& sys = "/sys");
void check_permissions(const Config& config);
void check_listen_ports(const ControlConfig& control);

// The sysctls by which the kernel forwards what it receives on an interface, of either family; none
// where it does not, or where it cannot be told. `proc` is /proc/sys/net outside of tests.
std::vector<std::string> kernel_forwards(const std::string& link,
                                         const std::string& proc = "/proc/sys/net");

}  // namespace sluice::control
