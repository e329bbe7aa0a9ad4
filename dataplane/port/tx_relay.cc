// SPDX-License-Identifier: BSD-3-Clause
// Own queue, or another worker's.
#include "dataplane/port/tx_relay.h"

#include <rte_ethdev.h>

#include "dataplane/port/trunk.h"

namespace sluice {
namespace {

/// How many of them, from the first on: a frame without room for its tags must not leave.
uint16_t put_tags_in(const TxRelay::Link& link, rte_mbuf** packets, uint16_t count) {
  for (uint16_t i = 0; i < count; ++i) {
    if (!put_tags(packets[i], link.vlan, link.device_tags)) return i;
  }
  return count;
}

}  // namespace

uint16_t TxRelay::send(uint16_t link, rte_mbuf** packets, uint16_t count) {
  if ((absent_ >> link & 1) != 0) [[unlikely]]
    return 0;
  const Link& to = links_[link];
  if ((tagged_ >> link & 1) != 0) [[unlikely]]
    count = put_tags_in(to, packets, count);
  const uint16_t sent = rte_eth_tx_burst(to.port, static_cast<uint16_t>(self_), packets, count);
  handed_over_[to.port].add(sent);
  return sent;
}

uint16_t TxRelay::transmit(uint16_t link, rte_mbuf** packets, uint16_t count) {
  const uint16_t queues = links_[link].queue_count;
  if (self_ < queues) [[likely]] {
    return send(link, packets, count);
  }
  for (uint16_t i = 0; i < count; ++i) packets[i]->port = link;
  return static_cast<uint16_t>(rte_ring_sp_enqueue_burst(rings_->between(self_, self_ % queues),
                                                         reinterpret_cast<void* const*>(packets),
                                                         count, nullptr));
}

bool TxRelay::forward(WorkerCounters& counters) {
  if (rings_ == nullptr) return false;
  bool found = false;
  rte_mbuf* packets[kBurstMax];
  for (uint32_t from = 0; from < rings_->worker_count(); ++from) {
    if (from == self_) continue;
    const unsigned count = rte_ring_sc_dequeue_burst(
        rings_->between(from, self_), reinterpret_cast<void**>(packets), kBurstMax, nullptr);
    found |= count > 0;
    counters.count(Event::relays_taken, count);
    for (unsigned begin = 0, end; begin < count; begin = end) {
      const uint16_t link = packets[begin]->port;
      for (end = begin + 1; end < count && packets[end]->port == link;) ++end;
      send(link, &packets[begin], static_cast<uint16_t>(end - begin), counters);
    }
  }
  return found;
}

void TxRelay::send(uint16_t link, rte_mbuf** packets, uint16_t count, WorkerCounters& counters) {
  uint64_t bytes = 0;  // while the packets are still ours
  for (uint16_t i = 0; i < count; ++i) bytes += packets[i]->pkt_len;
  const uint16_t sent = send(link, packets, count);
  for (uint16_t i = sent; i < count; ++i) {
    bytes -= packets[i]->pkt_len;
    counters.count((absent_ >> link & 1) != 0 ? net::DropReason::port_absent
                                              : net::DropReason::tx_full);
    rte_pktmbuf_free(packets[i]);
  }
  counters.packets_out.add(sent);
  counters.bytes_out.add(bytes);
}

void TxRelay::send_nothing(uint32_t links) {
  for (uint16_t link = 0; link < kInterfacesMax; ++link) {
    if ((links >> link & 1) == 0) continue;
    rte_eth_tx_burst(links_[link].port, static_cast<uint16_t>(self_), nullptr, 0);
  }
}

}  // namespace sluice
