// SPDX-License-Identifier: BSD-3-Clause
// Makes the exception path's rings, and frees them with what is left in them.
#include "dataplane/port/kernel_rings.h"

#include <rte_errno.h>

#include <stdexcept>

namespace sluice {
namespace {

rte_ring* make_ring(const std::string& name, int numa_socket) {
  rte_ring* ring = rte_ring_create(name.c_str(), KernelRings::kPacketsMax, numa_socket,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
  if (ring == nullptr) throw std::runtime_error("ring " + name + ": " + rte_strerror(rte_errno));
  return ring;
}

void empty_and_free(rte_ring* ring) {
  void* packet;
  while (rte_ring_sc_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

}  // namespace

KernelRings::KernelRings(const std::string& name, int numa_socket)
    : to_kernel_(make_ring(name + "-in", numa_socket)), to_port_(nullptr) {
  try {
    to_port_ = make_ring(name + "-out", numa_socket);
  } catch (...) {
    rte_ring_free(to_kernel_);
    throw;
  }
}

KernelRings::~KernelRings() {
  empty_and_free(to_kernel_);
  empty_and_free(to_port_);
}

}  // namespace sluice
