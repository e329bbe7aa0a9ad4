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

/// Packets that are on their way out of a worker, until there is a burst of them.
struct PacketBuffer {
  uint16_t count = 0;
  std::array<rte_mbuf*, kBurstMax> packets;
};

class Tx {
 public:
  /// Hands packets to a device and returns how many it took; rte_eth_tx_burst() of the worker's
  /// queue, or a simulator. What it did not take stays the caller's.
  using Transmit = uint16_t (*)(void* context, uint16_t port, rte_mbuf** packets, uint16_t count);

  Tx(Transmit transmit, void* context, rte_mempool* packets, WorkerCounters& counters)
      : transmit_(transmit), context_(context), packets_(packets), counters_(counters) {}

  /// To be called before the first packet: another worker transmits what goes to this port.
  void set_relayed(uint16_t port) { relayed_ |= 1u << port; }

  /// Ports whose device is gone or being reset, a bit for each; their frames are `port_absent`.
  void set_absent(uint32_t ports) { absent_ = ports; }
  net::DropReason refusal(uint16_t port) const {
    return (absent_ >> port & 1) != 0 ? net::DropReason::port_absent : net::DropReason::tx_full;
  }

  /// Queues a finished frame; it belongs to Tx from now on.
  void send(uint16_t port, rte_mbuf* packet) {
    PacketBuffer& buffer = buffers_[port];
    const uint16_t count = buffer.count;
    buffer.packets[count] = packet;
    buffer.count = static_cast<uint16_t>(count + 1);
    if (count + 1 == kBurstMax) flush(port);
  }

  void flush() {
    for (uint16_t port = 0; port < kInterfacesMax; ++port) {
      if (buffers_[port].count > 0) flush(port);
    }
  }

  /// A buffer of `length` bytes for a packet of our own; nullptr (counted) when there is none.
  rte_mbuf* allocate(uint16_t length);

  /// A buffer of `length` bytes for what stands in a larger one, which is freed once it has moved:
  /// no packet more. nullptr (not counted) when there is none.
  rte_mbuf* replacement(uint16_t length);

  /// Whether a packet's buffer is larger than those of packets are: of a datagram that was put
  /// together. It should not stay with a device.
  bool is_in_large_buffer(const rte_mbuf* packet) const {
    return packet->buf_len > rte_pktmbuf_data_room_size(packets_);
  }

  /// A copy of a packet, in a buffer of our own; nullptr (counted) when there is none.
  rte_mbuf* copy(const rte_mbuf* packet);

  /// Counts and frees a packet; nullptr is one whose buffer its answer took.
  void drop(rte_mbuf* packet, net::DropReason reason) {
    counters_.count(reason);
    rte_pktmbuf_free(packet);
  }

 private:
  void flush(uint16_t port);

  Transmit transmit_;
  void* context_;
  rte_mempool* packets_;
  WorkerCounters& counters_;
  uint32_t relayed_ = 0;  // a bit for each port
  uint32_t absent_ = 0;   // the same
  std::array<PacketBuffer, kInterfacesMax> buffers_{};
};

}  // namespace sluice
