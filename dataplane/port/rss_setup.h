// SPDX-License-Identifier: BSD-3-Clause
// RSS of a device: what is asked for, and what the device then says that it does.
#pragma once

#include <rte_ethdev.h>

#include <span>
#include <vector>

#include "dataplane/port/steering.h"

namespace sluice {

/// Bytes of a device's key.
uint8_t rss_key_length(const rte_eth_dev_info& info);

/// The key of the RSS specification, over and over: any length that a device can have. All devices
/// that take a key get this one, so that it does not matter which of them a client's packet comes
/// in on. The bytes last as long as the process: ethdev keeps the pointer that it is given, and
/// drivers read through it later, when the port starts or is reset.
std::span<uint8_t> rss_key(uint8_t length);

/// Puts RSS of TCP over IPv4 into `conf`, under `key` or (nullptr) the driver's own; false when the
/// device has none. `key` must last as long as the port.
bool ask_for_rss(const rte_eth_dev_info& info, uint8_t* key, rte_eth_conf& conf);

/// Spreads the RETA of a started port evenly over its receive queues, where the driver lets it, and
/// reads key and RETA back. `asked_key` is the one that the device took, empty where that is its
/// driver's. Throws std::runtime_error with the reason why nothing can be built on the device's
/// spread.
RssFunction read_rss(uint16_t port, uint32_t worker_count, uint16_t queue_count,
                     std::span<const uint8_t> asked_key);

}  // namespace sluice
