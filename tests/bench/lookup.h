// SPDX-License-Identifier: BSD-3-Clause
// What one look-up costs when the next waits for it, as a packet's next step does.
#pragma once

#include <rte_cycles.h>
#include <rte_malloc.h>

#include <algorithm>
#include <cstdint>

#include "tests/bench/figures.h"

namespace sluice::bench {

/// Ticks of find(i) for each i below `count`, in the round that was disturbed least.
template <class Find>
double lookup_ticks(uint32_t count, uint32_t rounds, Find find) {
  static const volatile uint32_t zero = 0;
  const uint32_t none = zero;  // which the compiler does not know
  uint64_t least = UINT64_MAX;
  for (uint32_t round = 0; round <= rounds; ++round) {
    uint32_t found = 0;
    const uint64_t begin = rte_rdtsc();
    for (uint32_t i = 0; i < count; ++i) found = static_cast<uint32_t>(find(i + (found & none)));
    asm volatile("" ::"r"(found));
    const uint64_t took = rte_rdtsc() - begin;
    least = std::min(least, took);
  }
  return static_cast<double>(least) / count;
}

/// Bytes that are taken of DPDK's heap.
inline uint64_t heap_bytes() {
  rte_malloc_socket_stats stats{};
  uint64_t sum = 0;
  for (int socket = 0; rte_malloc_get_socket_stats(socket, &stats) == 0; ++socket) {
    sum += stats.heap_allocsz_bytes;
  }
  return sum;
}

}  // namespace sluice::bench
