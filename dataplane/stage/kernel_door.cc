// SPDX-License-Identifier: BSD-3-Clause
// What is the kernel's, and the rings to it.
#include "dataplane/stage/kernel_door.h"

#include <rte_errno.h>

#include <algorithm>
#include <stdexcept>

#include "dataplane/stage/core.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

rte_ring* make_ring(const std::string& name, int numa_socket) {
  rte_ring* ring = rte_ring_create(name.c_str(), KernelDoor::kPacketsMax, numa_socket,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
  if (ring == nullptr) throw std::runtime_error("ring " + name + ": " + rte_strerror(rte_errno));
  return ring;
}

void empty_and_free(rte_ring* ring) {
  void* packet;
  while (rte_ring_sc_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

/// parse() has read the frame up to where this reason was found.
bool is_unread(DropReason reason) {
  return reason == DropReason::protocol_unknown || reason == DropReason::ipv4_fragment ||
         reason == DropReason::ethertype_unknown;
}

}  // namespace

KernelDoor::KernelDoor(const std::string& name, int numa_socket)
    : to_kernel_(make_ring(name + "-in", numa_socket)), to_port_(nullptr) {
  try {
    to_port_ = make_ring(name + "-out", numa_socket);
  } catch (...) {
    rte_ring_free(to_kernel_);
    throw;
  }
}

KernelDoor::~KernelDoor() {
  empty_and_free(to_kernel_);
  empty_and_free(to_port_);
}

bool is_kernels(const Core& core, net::Ipv4Address ip, uint16_t interface) {
  if (core.kernel_doors[interface] == nullptr) return false;
  const auto& addresses = core.snapshot->interfaces[interface].addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](net::Ipv4Prefix own) { return own.address == ip; });
}

Verdict give_to_kernel(Core& core, rte_mbuf* packet, uint16_t interface) {
  if (!core.kernel_doors[interface]->give(packet)) return DropReason::kernel_queue_full;
  core.count(Event::packets_to_kernel);
  return Verdict::pass();
}

Verdict unread_input(Core& core, Segment& segment, uint16_t interface) {
  const DropReason reason = segment.packet.reason;
  if (core.kernel_doors[interface] == nullptr || !is_unread(reason)) return reason;
  const auto* ethernet = rte_pktmbuf_mtod(segment.buffer, const net::EthernetHeader*);
  if (!ethernet->destination.is_multicast()) {
    if (ethernet->destination != core.snapshot->interfaces[interface].mac) {
      return DropReason::mac_not_ours;
    }
    const auto* ip = reinterpret_cast<const net::Ipv4Header*>(ethernet + 1);
    if (reason != DropReason::ethertype_unknown && !is_kernels(core, ip->destination, interface)) {
      return reason;
    }
  }
  return give_to_kernel(core, segment.buffer, interface);
}

void send_from_kernels(Core& core) {
  constexpr unsigned kBudget = 32;
  rte_mbuf* packets[kBudget];
  for (uint16_t i = 0; i < core.snapshot->interfaces.size(); ++i) {
    KernelDoor* door = core.kernel_doors[i];
    if (door == nullptr) continue;
    const unsigned count = door->take(packets, kBudget);
    for (unsigned p = 0; p < count; ++p) {
      core.tx.send(core.snapshot->interfaces[i].port, packets[p]);
      core.count(Event::packets_from_kernel);
    }
  }
}

}  // namespace sluice
