// SPDX-License-Identifier: BSD-3-Clause
// How many queues and descriptors to ask a device for.
//
// Drivers say how many queues they have at most, and not all that they ask of a number: vmxnet3
// below version 6 and the VFs of ixgbe take powers of two, an ixgbe under SR-IOV as many as one of
// its pools has. So the wanted number is tried first, then smaller powers of two. Workers without
// a receive queue get their packets from others, those without a transmit queue send through them.
#pragma once

#include <rte_ethdev.h>

#include <cstdint>
#include <vector>

namespace sluice {

struct QueueCounts {
  uint16_t rx;
  uint16_t tx;
  friend bool operator==(const QueueCounts&, const QueueCounts&) = default;
};

/// What is worth a try for so many workers, the best first; never empty.
std::vector<QueueCounts> queue_plan(const rte_eth_dev_info& info, uint16_t worker_count);

/// Descriptors of a queue within what the driver allows: a power of two wherever there is one.
uint16_t descriptor_count(const rte_eth_desc_lim& limits);

}  // namespace sluice
