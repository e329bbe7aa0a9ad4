// SPDX-License-Identifier: BSD-3-Clause
// What is the kernel's.
#include "dataplane/stage/exception_path.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

bool is_kernels(const Core& core, const net::IpAddress& ip, uint16_t interface) {
  if (core.kernel_rings[interface] == nullptr) return false;
  if (ip.is_v4()) return core.snapshot->interfaces[interface].v4.is_own(ip.v4());
  return !core.snapshot->v6.is_own_everywhere(ip.v6());
}

Verdict give_to_kernel(Core& core, rte_mbuf* packet, uint16_t interface) {
  if (!core.kernel_rings[interface]->give(packet)) return DropReason::kernel_queue_full;
  core.count(Event::packets_to_kernel);
  return net::Fate::kToKernel;
}

void send_from_kernels(Core& core) {
  constexpr unsigned kBudget = 32;
  rte_mbuf* packets[kBudget];
  for (uint16_t i = 0; i < core.snapshot->interfaces.size(); ++i) {
    KernelRings* rings = core.kernel_rings[i];
    if (rings == nullptr) continue;
    const unsigned count = rings->take(packets, kBudget);
    for (unsigned p = 0; p < count; ++p) {
      core.tx.send(core.snapshot->interfaces[i].port, packets[p]);
      core.count(Event::packets_from_kernel);
    }
  }
}

}  // namespace sluice
