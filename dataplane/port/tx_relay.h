// SPDX-License-Identifier: BSD-3-Clause
// Frames on their way to a worker that has a transmit queue, from one that has none.
//
// A device with fewer transmit queues than workers has its first workers send for the others:
// worker w's frames go through a ring to worker w mod queues. What no ring or queue takes is
// dropped as `tx_full`, by whoever met it; what is for a device that is gone, as `port_absent`.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/port/handoff.h"

namespace sluice {

class TxRelay {
 public:
  /// `rings` may be nullptr where every port has a queue for every worker.
  TxRelay(const Rings* rings, uint32_t self) : rings_(rings), self_(self) {}

  /// What queues of the port have taken from this worker; for any thread.
  uint64_t handed_over(uint16_t port) const { return handed_over_[port].value(); }

  void set_queue_count(uint16_t port, uint16_t count) { queue_counts_[port] = count; }

  /// Ports that must not be touched, a bit for each: what is for them is not taken.
  void set_absent(uint32_t ports) { absent_ = ports; }

  /// Sends on a port, by the worker's own queue or through another worker; returns how many
  /// packets were taken.
  uint16_t transmit(uint16_t port, rte_mbuf** packets, uint16_t count);
  /// Sends what other workers gave, and returns whether there was anything. To be called once an
  /// iteration.
  bool forward(WorkerCounters& counters);

 private:
  uint16_t send(uint16_t port, rte_mbuf** packets, uint16_t count);
  void send(uint16_t port, rte_mbuf** packets, uint16_t count, WorkerCounters& counters);

  const Rings* rings_;
  uint32_t self_;
  uint32_t absent_ = 0;
  std::array<uint16_t, kInterfacesMax> queue_counts_{};
  std::array<Counter, kInterfacesMax> handed_over_;
};

}  // namespace sluice
