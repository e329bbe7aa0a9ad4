// SPDX-License-Identifier: BSD-3-Clause
// A port's device: arguments that it should have, its MTU, how it is let go.
#pragma once

#include <rte_ethdev.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

/// net_af_packet's rings of 512 frames run over in the few milliseconds for which a shared core may
/// be taken away from a worker, it has one queue, and frames of 2 KB; unless the device string says
/// otherwise it gets what is needed of each. Other devices stay as they are.
std::string with_defaults(const std::string& device, size_t worker_count, uint16_t mtu);

/// Why the device cannot have this MTU, by what it says of itself; empty where it can. Of kernel
/// interfaces the kernel knows.
std::string mtu_refusal(const rte_eth_dev_info& info, uint16_t mtu);

/// Whether ethdev lets this MTU (not 0) be configured. Of kernel interfaces it may think them
/// smaller than they are.
bool ethdev_takes_mtu(const rte_eth_dev_info& info, uint16_t mtu);

/// Sets the MTU of a configured port that is not started: the device's, or that of the kernel
/// interface under it. Returns why not, or nothing.
std::string set_device_mtu(uint16_t id, const rte_eth_dev_info& info, uint16_t mtu);

/// Stops a port, closes it and lets its device go.
void close_device(uint16_t id);

}  // namespace sluice
