// SPDX-License-Identifier: BSD-3-Clause
// What is the kernel's.
#include "dataplane/stage/exception_path.h"

#include "dataplane/net/ipv6.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// Nobody on a link has a router bring packets to where they come from, so the kernel is meant.
bool is_on_link(const Core& core, const net::Ipv6Address& ip, uint16_t interface) {
  if (net::is_link_local(ip) || net::is_multicast(ip)) return true;
  const auto* route = core.snapshot->v6.find_route(ip);
  return route != nullptr && route->interface == interface && net::is_unspecified(route->via);
}

}  // namespace

bool is_kernels(const Core& core, const net::IpAddress& ip, uint16_t interface) {
  if (core.kernel_rings[interface] == nullptr) return false;
  const InterfaceView& view = core.snapshot->interfaces[interface];
  if (ip.is_v4()) return view.v4.is_own(ip.v4());
  if (core.snapshot->v6.is_own_everywhere(ip.v6())) return false;
  return view.unmatched != Unmatched::kForward || is_on_link(core, ip.v6(), interface);
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
