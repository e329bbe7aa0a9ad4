// SPDX-License-Identifier: BSD-3-Clause
// A worker's way to the host's kernel, for an interface that has one (`kernel = "sluice0"`).
//
//            give()                  collect()
//   worker ---------> [to kernel] ------------> control thread ---> tap ---> kernel
//   worker <--------- [to port]  <------------- control thread <--- tap <--- kernel
//            take()                    post()
//
// Two bounded rings, and no system call on the worker's side. Each worker has a door of its own to
// each such interface, so a ring has one producer and one consumer and costs no atomic
// read-modify-write. The control thread looks at the rings by a timer; nobody wakes it. What the
// kernel sends leaves through the first worker's door.
//
// The ring is the bound: of a flood to the interface's address a worker gives what fits and drops
// the rest (`kernel_queue_full`), each at the price of any other drop.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdint>
#include <string>

#include "dataplane/net/address.h"
#include "dataplane/net/drop_reason.h"

namespace sluice {

struct Core;
struct Segment;

class KernelDoor {
 public:
  static constexpr unsigned kPacketsMax = 512;  // in each direction

  /// `name` is unique in the process. Throws std::runtime_error when there is no memory.
  KernelDoor(const std::string& name, int numa_socket);
  KernelDoor(const KernelDoor&) = delete;
  KernelDoor& operator=(const KernelDoor&) = delete;
  ~KernelDoor();

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

/// Whether `ip` is an address of this interface, and the kernel has it too.
bool is_kernels(const Core& core, net::Ipv4Address ip, uint16_t interface);

/// Hands a whole frame, as it came in, to the interface's kernel.
net::Verdict give_to_kernel(Core& core, rte_mbuf* packet, uint16_t interface);

/// A frame that parse() does not read: the kernel's where it has this interface and is meant
/// (another protocol or a fragment to its address, multicast, broadcast); else it is dropped for
/// the reason that parse() gave.
net::Verdict unread_input(Core& core, Segment& segment, uint16_t interface);

/// What the kernels want to send, a burst for each interface.
void send_from_kernels(Core& core);

}  // namespace sluice
