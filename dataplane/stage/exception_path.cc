// SPDX-License-Identifier: BSD-3-Clause
// What is the kernel's.
#include "dataplane/stage/exception_path.h"

#include <algorithm>

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// parse() has read the frame up to where this reason was found.
bool is_unread(DropReason reason) {
  return reason == DropReason::protocol_unknown || reason == DropReason::ipv4_fragment ||
         reason == DropReason::ipv6_fragment || reason == DropReason::ethertype_unknown;
}

/// UDP to a broadcast or multicast MAC (DHCP, mDNS): none of it is a flow's.
bool is_group_udp(const net::Packet& packet) {
  if (packet.reason != DropReason::mac_not_ours || !packet.ethernet->destination.is_multicast()) {
    return false;
  }
  if (packet.ethernet->type == net::kEtherTypeIpv6) {
    return packet.ip6->next_header == net::kProtocolUdp;
  }
  return packet.ethernet->type == net::kEtherTypeIpv4 && packet.ip->protocol == net::kProtocolUdp;
}

}  // namespace

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

Verdict unread_input(Core& core, Segment& segment, uint16_t interface) {
  const DropReason reason = segment.packet.reason;
  if (core.kernel_rings[interface] == nullptr) return reason;
  const auto* ethernet = rte_pktmbuf_mtod(segment.buffer, const net::EthernetHeader*);
  if (!is_unread(reason) && !is_group_udp(segment.packet)) return reason;
  if (!ethernet->destination.is_multicast()) {
    if (ethernet->destination != core.snapshot->interfaces[interface].mac) {
      return DropReason::mac_not_ours;
    }
    if (reason != DropReason::ethertype_unknown &&
        !is_kernels(core, segment.packet.destination_ip(), interface)) {
      return reason;
    }
  }
  return give_to_kernel(core, segment.buffer, interface);
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
