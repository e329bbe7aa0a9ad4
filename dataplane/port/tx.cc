// SPDX-License-Identifier: BSD-3-Clause
// Buffers towards ports.
#include "dataplane/port/tx.h"

namespace sluice {

rte_mbuf* Tx::allocate(uint16_t length) {
  counters_.count(Event::packets_made);  // also where that fails: it is a drop of its own
  rte_mbuf* packet = rte_pktmbuf_alloc(packets_);
  if (packet == nullptr) {
    counters_.count(net::DropReason::mbuf_exhausted);
    return nullptr;
  }
  packet->data_len = length;
  packet->pkt_len = length;
  return packet;
}

rte_mbuf* Tx::replacement(uint16_t length) {
  rte_mbuf* packet = rte_pktmbuf_alloc(packets_);
  if (packet == nullptr) return nullptr;
  packet->data_len = length;
  packet->pkt_len = length;
  return packet;
}

rte_mbuf* Tx::copy(const rte_mbuf* packet) {
  counters_.count(Event::packets_made);
  rte_mbuf* made = rte_pktmbuf_copy(packet, packets_, 0, UINT32_MAX);
  if (made == nullptr) counters_.count(net::DropReason::mbuf_exhausted);
  return made;
}

void Tx::flush(uint16_t port) {
  PacketBuffer& buffer = buffers_[port];
  const uint16_t count = buffer.count;
  uint64_t bytes = 0;  // while the packets are still ours
  for (uint16_t i = 0; i < count; ++i) bytes += buffer.packets[i]->pkt_len;
  const uint16_t sent = transmit_(context_, port, buffer.packets.data(), count);
  for (uint16_t i = sent; i < count; ++i) {
    bytes -= buffer.packets[i]->pkt_len;
    drop(buffer.packets[i], refusal(port));
  }
  buffer.count = 0;
  // What another worker sends, it counts.
  if ((relayed_ >> port & 1) != 0) [[unlikely]]
    return counters_.count(Event::relayed, sent);
  counters_.packets_out.add(sent);
  counters_.bytes_out.add(bytes);
}

}  // namespace sluice
