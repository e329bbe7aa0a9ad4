// SPDX-License-Identifier: BSD-3-Clause
// Buffers towards ports.
#include "dataplane/tx.h"

namespace sluice {

rte_mbuf* Tx::allocate(uint16_t length) {
  rte_mbuf* packet = rte_pktmbuf_alloc(packets_);
  if (packet == nullptr) {
    counters_.count(net::DropReason::mbuf_exhausted);
    return nullptr;
  }
  packet->data_len = length;
  packet->pkt_len = length;
  return packet;
}

rte_mbuf* Tx::copy(const rte_mbuf* packet) {
  rte_mbuf* made = rte_pktmbuf_copy(packet, packets_, 0, UINT32_MAX);
  if (made == nullptr) counters_.count(net::DropReason::mbuf_exhausted);
  return made;
}

bool Tx::holds(const rte_mbuf* packet) const {
  return std::ranges::any_of(buffers_, [packet](const auto& each) { return each.holds(packet); });
}

void Tx::flush(uint16_t port) {
  PacketBuffer& buffer = buffers_[port];
  const uint16_t count = buffer.count;
  uint64_t bytes = 0;  // while the packets are still ours
  for (uint16_t i = 0; i < count; ++i) bytes += buffer.packets[i]->pkt_len;
  const uint16_t sent = transmit_(context_, port, buffer.packets.data(), count);
  for (uint16_t i = sent; i < count; ++i) {
    bytes -= buffer.packets[i]->pkt_len;
    drop(buffer.packets[i], net::DropReason::tx_full);
  }
  counters_.packets_out.add(sent);
  counters_.bytes_out.add(bytes);
  buffer.count = 0;
}

}  // namespace sluice
