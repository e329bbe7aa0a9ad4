// SPDX-License-Identifier: BSD-3-Clause
// EAL without hugepages, devices or shared files.
#include "tests/simulation/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace sluice::sim {
namespace {

constexpr unsigned kPackets = 8191;
constexpr unsigned kCache = 256;

rte_mempool* initialise() {
  const char* arguments[] = {
      "simulate", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
      "-m",       "256",       "-l",       "0",           "--log-level=error"};
  char* argv[std::size(arguments)];
  for (size_t i = 0; i < std::size(arguments); i++) argv[i] = const_cast<char*>(arguments[i]);
  if (rte_eal_init(static_cast<int>(std::size(arguments)), argv) < 0) {
    std::fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
    std::exit(2);
  }
  rte_mempool* pool = rte_pktmbuf_pool_create("simulated", kPackets, kCache, 0,
                                              RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool != nullptr) return pool;
  std::fprintf(stderr, "no memory for packets: %s\n", rte_strerror(rte_errno));
  std::exit(2);
}

}  // namespace

rte_mempool* packet_pool() {
  static rte_mempool* const kPool = initialise();
  return kPool;
}

}  // namespace sluice::sim
