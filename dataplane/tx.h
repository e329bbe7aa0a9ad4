// SPDX-License-Identifier: BSD-3-Clause
// The way out of a worker: one buffer for each port, and buffers for packets of our own.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "dataplane/state/counters.h"

namespace sluice {

inline constexpr uint16_t kBurstMax = 64;
inline constexpr uint16_t kInterfacesMax = 16;

class Tx {
 public:
  /// Hands packets to a device and returns how many it took; rte_eth_tx_burst() of the worker's
  /// queue, or a simulator. What it did not take stays the caller's.
  using Transmit = uint16_t (*)(void* context, uint16_t port, rte_mbuf** packets, uint16_t count);

  Tx(Transmit transmit, void* context, rte_mempool* packets, WorkerCounters& counters)
      : transmit_(transmit), context_(context), packets_(packets), counters_(counters) {}

  /// Queues a finished frame; it belongs to Tx from now on.
  void send(uint16_t port, rte_mbuf* packet) {
    Buffer& buffer = buffers_[port];
    buffer.packets[buffer.count++] = packet;
    if (buffer.count == kBurstMax) flush(port);
  }

  void flush() {
    for (uint16_t port = 0; port < kInterfacesMax; ++port) {
      if (buffers_[port].count > 0) flush(port);
    }
  }

  /// A buffer of `length` bytes for a packet of our own; nullptr (counted) when there is none.
  rte_mbuf* allocate(uint16_t length);

  void drop(rte_mbuf* packet, net::DropReason reason) {
    counters_.count(reason);
    rte_pktmbuf_free(packet);
  }

 private:
  struct Buffer {
    uint16_t count = 0;
    std::array<rte_mbuf*, kBurstMax> packets;
  };

  void flush(uint16_t port);

  Transmit transmit_;
  void* context_;
  rte_mempool* packets_;
  WorkerCounters& counters_;
  std::array<Buffer, kInterfacesMax> buffers_{};
};

}  // namespace sluice
