// SPDX-License-Identifier: BSD-3-Clause
// EAL without hugepages, devices or shared files.
#include "tests/simulation/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>

namespace sluice::sim {
namespace {

constexpr unsigned kPackets = 8191;
constexpr unsigned kCache = 256;

// The lcore gets some CPU that this process may use; EAL would insist on the first one.
std::string lcore_on(const cpu_set_t& allowed) {
  int cpu = 0;
  while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed)) cpu++;
  return "--lcores=0@" + std::to_string(cpu);
}

rte_mempool* initialise() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::string arguments[] = {"simulate",    "--no-huge",         "--no-pci",
                             "--no-shconf", "--no-telemetry",    "-m",
                             "256",         "--log-level=error", lcore_on(allowed)};
  char* argv[std::size(arguments)];
  for (size_t i = 0; i < std::size(arguments); i++) argv[i] = arguments[i].data();
  if (rte_eal_init(static_cast<int>(std::size(arguments)), argv) < 0) {
    std::fprintf(stderr, "EAL: %s\n", rte_strerror(rte_errno));
    std::exit(2);
  }
  // And pins us there; several simulators side by side would share it.
  sched_setaffinity(0, sizeof allowed, &allowed);
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
