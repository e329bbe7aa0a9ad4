// SPDX-License-Identifier: BSD-3-Clause
// DPDK's environment for a process that has no device: initialised once, one pool of packets.
#pragma once

struct rte_mempool;

namespace sluice::sim {

// The packets; the first call initialises EAL. Ends the process with DPDK's reason when it cannot.
rte_mempool* packet_pool();

}  // namespace sluice::sim
