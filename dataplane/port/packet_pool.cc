// SPDX-License-Identifier: BSD-3-Clause
// A mempool of mbufs.
#include "dataplane/port/packet_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <stdexcept>
#include <string>

namespace sluice {
namespace {

// Descriptors of both directions; packets that wait for a next hop or in rings, bursts and caches.
constexpr uint32_t kPacketsPerPort = 4096;
constexpr uint32_t kPacketsShared = 8192;

constexpr uint32_t packet_count(uint32_t port_count) {
  return kPacketsShared + port_count * kPacketsPerPort - 1;
}

}  // namespace

rte_mempool* make_packet_pool(uint32_t worker, uint32_t port_count, uint32_t buffer_bytes,
                              int numa_socket) {
  constexpr unsigned kCache = 256;
  const std::string name = "packets-" + std::to_string(worker);
  const auto room = static_cast<uint16_t>(RTE_PKTMBUF_HEADROOM + buffer_bytes);
  rte_mempool* pool =
      rte_pktmbuf_pool_create(name.c_str(), packet_count(port_count), kCache, 0, room, numa_socket);
  if (pool == nullptr) throw std::runtime_error(std::string("buffers: ") + rte_strerror(rte_errno));
  return pool;
}

uint64_t packet_pool_bytes(uint32_t port_count, uint32_t buffer_bytes) {
  const uint64_t buffer =
      sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM + buffer_bytes + RTE_CACHE_LINE_SIZE;
  // With the ring of free buffers, a power of two.
  return packet_count(port_count) * (buffer + 2 * sizeof(void*));
}

}  // namespace sluice
