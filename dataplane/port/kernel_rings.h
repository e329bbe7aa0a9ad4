// SPDX-License-Identifier: BSD-3-Clause
// A worker's exception path: rings to and from the host's kernel, for an interface with `kernel =
// "sluice0"`.
//
//            give()                  collect()
//   worker ---------> [to kernel] ------------> control thread ---> tap ---> kernel
//   worker <--------- [to port]  <------------- control thread <--- tap <--- kernel
//            take()                    post()
//
// Both are bounded, and there is no system call on the worker's side. Each worker has rings of its
// own for each such interface, so a ring has one producer and one consumer and costs no atomic
// read-modify-write. The control thread looks at the rings by a timer; nobody wakes it. What the
// kernel sends leaves through the first worker's rings.
//
// A ring's size is the bound: of a flood to the interface's address a worker gives what fits and
// drops the rest (`kernel_queue_full`), each at the price of any other drop.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <string>

namespace sluice {

class KernelRings {
 public:
  static constexpr unsigned kPacketsMax = 512;  // in each direction

  /// `name` is unique in the process. Throws std::runtime_error when there is no memory.
  KernelRings(const std::string& name, int numa_socket);
  KernelRings(const KernelRings&) = delete;
  KernelRings& operator=(const KernelRings&) = delete;
  ~KernelRings();

  // Worker.
  bool give(rte_mbuf* packet) { return rte_ring_sp_enqueue(to_kernel_, packet) == 0; }
  unsigned take(rte_mbuf** packets, unsigned count_max) {
    return rte_ring_sc_dequeue_burst(to_port_, reinterpret_cast<void**>(packets), count_max,
                                     nullptr);
  }

  // Control thread.
  unsigned collect(rte_mbuf** packets, unsigned count_max) {
    return rte_ring_sc_dequeue_burst(to_kernel_, reinterpret_cast<void**>(packets), count_max,
                                     nullptr);
  }
  unsigned room() const { return rte_ring_free_count(to_port_); }
  /// As many as there is room for; the others stay the caller's.
  unsigned post(rte_mbuf** packets, unsigned count) {
    return rte_ring_sp_enqueue_burst(to_port_, reinterpret_cast<void**>(packets), count, nullptr);
  }

 private:
  rte_ring* to_kernel_;
  rte_ring* to_port_;
};

}  // namespace sluice
