// SPDX-License-Identifier: BSD-3-Clause
// Announcements, a burst at a time.
#include "dataplane/stage/announcements.h"

#include <algorithm>

#include "dataplane/net/arp.h"
#include "dataplane/net/nd.h"

namespace sluice {

void Announcements::begin(uint16_t interface, uint64_t now_ms) {
  queues_[interface] = {{kRounds, 0, now_ms}, {kDadRounds + kRounds, 0, now_ms}};
  pending_ |= 1u << interface;
}

void Announcements::send_burst(const Snapshot& snapshot, uint64_t now_ms) {
  next_burst_ms_ = now_ms + kBurstMs;
  uint32_t budget = kBurst;
  for (uint16_t i = 0; i < snapshot.interfaces.size() && budget > 0; ++i) {
    if ((pending_ >> i & 1) == 0) continue;
    Queues& queues = queues_[i];
    budget = send_some<net::Ipv4Address>(snapshot.interfaces[i], queues.v4, now_ms, budget);
    budget = send_some<net::Ipv6Address>(snapshot.interfaces[i], queues.v6, now_ms, budget);
    if (queues.are_over()) pending_ &= ~(1u << i);
  }
}

template <class Address>
uint32_t Announcements::send_some(const InterfaceView& interface, Queue& queue, uint64_t now_ms,
                                  uint32_t budget) {
  if (queue.rounds_left == 0 || now_ms < queue.round_ms) return budget;
  const std::vector<Address>& announced = interface.of<Address>().announced;
  for (; queue.next < announced.size(); ++queue.next, --budget) {
    if (budget == 0 || !send_one(interface, announced[queue.next], queue)) return 0;  // later
  }
  queue.next = 0;
  --queue.rounds_left;
  queue.round_ms = std::max(queue.round_ms + kRoundMs, now_ms);
  return budget;
}

bool Announcements::send_one(const InterfaceView& interface, net::Ipv4Address address,
                             const Queue&) {
  rte_mbuf* packet = tx_.allocate(net::kArpFrameLength);
  if (packet == nullptr) return false;
  net::arp_request({rte_pktmbuf_mtod(packet, uint8_t*), net::kArpFrameLength}, interface.mac,
                   address, address);
  counters_.count(Event::arp_requests_sent);
  tx_.send(interface.port, packet);
  return true;
}

bool Announcements::send_one(const InterfaceView& interface, const net::Ipv6Address& address,
                             const Queue& queue) {
  rte_mbuf* packet = tx_.allocate(net::kNdFrameLengthMax);
  if (packet == nullptr) return false;
  const std::span frame(rte_pktmbuf_mtod(packet, uint8_t*), net::kNdFrameLengthMax);
  const bool asks = queue.rounds_left > kRounds;
  const uint16_t length =
      asks ? net::write_solicitation(frame, interface.mac, net::kUnspecifiedIpv6, address)
           : net::write_advertisement(frame, interface.mac, address, net::kNdEverybody, true);
  rte_pktmbuf_trim(packet, static_cast<uint16_t>(net::kNdFrameLengthMax - length));
  counters_.count(asks ? Event::nd_solicitations_sent : Event::nd_announcements_sent);
  tx_.send(interface.port, packet);
  return true;
}

}  // namespace sluice
