// SPDX-License-Identifier: BSD-3-Clause
// Buffers for packets, as many as a worker needs. A frame lies in one: they are as large as the
// interface with the largest MTU wants (net/frame_size.h).
#pragma once

#include <rte_mempool.h>

#include <cstdint>

namespace sluice {

/// Buffers of one worker, for its queues of `port_count` ports and for packets of its own. Throws
/// std::runtime_error.
rte_mempool* make_packet_pool(uint32_t worker, uint32_t port_count, uint32_t buffer_bytes,
                              int numa_socket);
/// The memory that make_packet_pool() takes.
uint64_t packet_pool_bytes(uint32_t port_count, uint32_t buffer_bytes);

}  // namespace sluice
