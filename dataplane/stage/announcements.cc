// SPDX-License-Identifier: BSD-3-Clause
// Announcements, a burst at a time.
#include "dataplane/stage/announcements.h"

#include "dataplane/net/arp.h"

namespace sluice {

void Announcements::begin(uint16_t interface, uint64_t now_ms) {
  queues_[interface] = {kRounds, 0, now_ms};
  pending_ |= 1u << interface;
}

void Announcements::send_burst(const Snapshot& snapshot, uint64_t now_ms) {
  next_burst_ms_ = now_ms + kBurstMs;
  uint32_t budget = kBurst;
  for (uint16_t i = 0; i < snapshot.interfaces.size() && budget > 0; ++i) {
    if ((pending_ >> i & 1) == 0) continue;
    budget = send_some(snapshot.interfaces[i], queues_[i], now_ms, budget);
    if (queues_[i].rounds_left == 0) pending_ &= ~(1u << i);
  }
}

uint32_t Announcements::send_some(const InterfaceView& interface, Queue& queue, uint64_t now_ms,
                                  uint32_t budget) {
  if (now_ms < queue.round_ms) return budget;
  for (; queue.next < interface.v4.announced.size(); ++queue.next, --budget) {
    if (budget == 0) return 0;
    rte_mbuf* packet = tx_.allocate(net::kArpFrameLength);
    if (packet == nullptr) return 0;  // later
    const net::Ipv4Address address = interface.v4.announced[queue.next];
    net::arp_request({rte_pktmbuf_mtod(packet, uint8_t*), net::kArpFrameLength}, interface.mac,
                     address, address);
    counters_.count(Event::arp_requests_sent);
    tx_.send(interface.port, packet);
  }
  queue.next = 0;
  --queue.rounds_left;
  queue.round_ms = std::max(queue.round_ms + kRoundMs, now_ms);
  return budget;
}

}  // namespace sluice
