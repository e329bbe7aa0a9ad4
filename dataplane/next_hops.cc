// SPDX-License-Identifier: BSD-3-Clause
// Next hops: resolution, confirmation, ageing.
#include "dataplane/next_hops.h"

#include "dataplane/net/arp.h"

namespace sluice {

using net::DropReason;
using State = Neighbour::State;

namespace {

uint16_t largest_frame(const InterfaceView& interface) {
  return static_cast<uint16_t>(interface.mtu + sizeof(net::EthernetHeader));
}

}  // namespace

bool NextHops::send_unresolved(const Snapshot& snapshot, rte_mbuf* packet,
                               net::Ipv4Address destination, NextHop& hop, uint64_t now_ms) {
  if (hop.neighbour == Neighbours::kNone || neighbours_.generation(hop.neighbour) != hop.generation)
      [[unlikely]] {
    DropReason reason;
    const uint32_t index = resolve(snapshot, destination, reason);
    if (index == Neighbours::kNone) {
      tx_.drop(packet, reason);
      return true;
    }
    hop = {index, neighbours_.generation(index)};
  }
  Neighbour& neighbour = neighbours_[hop.neighbour];
  neighbour.used_ms = now_ms;
  if (packet->pkt_len > largest_frame(snapshot.interfaces[neighbour.interface])) return false;
  if (neighbour.has_mac()) {
    transmit(packet, neighbour);
  } else if (neighbour.state == State::kUnreachable) {
    tx_.drop(packet, DropReason::neighbour_unreachable);
  } else if (!neighbours_.wait(hop.neighbour, packet)) {
    tx_.drop(packet, DropReason::neighbour_queue_full);
  } else {
    begin_asking(snapshot, hop.neighbour, now_ms);
  }
  return true;
}

void NextHops::prepare(const Snapshot& snapshot, net::Ipv4Address destination, uint64_t now_ms) {
  DropReason unused;
  const uint32_t index = resolve(snapshot, destination, unused);
  if (index == Neighbours::kNone || neighbours_[index].state != State::kResolving) return;
  neighbours_[index].used_ms = now_ms;
  begin_asking(snapshot, index, now_ms);
}

void NextHops::begin_asking(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.tries > 0) return;
  neighbour.tries = 1;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  ask(snapshot, neighbour);
}

uint32_t NextHops::resolve(const Snapshot& snapshot, net::Ipv4Address destination,
                           DropReason& reason) {
  const Route* route = snapshot.find_route(destination);
  if (route == nullptr) {
    reason = DropReason::no_route;
    return Neighbours::kNone;
  }
  const net::Ipv4Address link = route->via.raw == 0 ? destination : route->via;
  uint32_t index = neighbours_.find(link, route->interface);
  if (index == Neighbours::kNone) {
    index = neighbours_.create(link, route->interface);
    if (index == Neighbours::kNone) {
      reason = DropReason::neighbour_table_full;
      return index;
    }
  }
  Neighbour& neighbour = neighbours_[index];
  neighbour.asking = route->source;
  // The interface's MTU may be another since the MAC was learnt.
  if (neighbour.has_mac())
    neighbour.frame_max = largest_frame(snapshot.interfaces[route->interface]);
  return index;
}

/// A broadcast while the MAC is unknown, a unicast probe after that (RFC 1122, section 2.3.2.1).
void NextHops::ask(const Snapshot& snapshot, const Neighbour& neighbour) {
  rte_mbuf* packet = tx_.allocate(net::kArpFrameLength);
  if (packet == nullptr) return;
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  net::arp_request({rte_pktmbuf_mtod(packet, uint8_t*), net::kArpFrameLength}, interface.mac,
                   neighbour.asking, neighbour.ip,
                   neighbour.has_mac() ? neighbour.mac() : net::kBroadcastMac);
  counters_.count(Event::arp_requests_sent);
  tx_.send(interface.port, packet);
}

void NextHops::learn(const Snapshot& snapshot, const net::ArpHeader& arp, uint16_t interface,
                     bool asks_for_us, uint64_t now_ms) {
  if (arp.sender_ip.raw == 0) return;  // a probe for a duplicate (RFC 5227)
  uint32_t index = neighbours_.find(arp.sender_ip, interface);
  if (index == Neighbours::kNone) {
    // Only who is on a link of ours is worth an entry.
    const Route* route = asks_for_us ? snapshot.find_route(arp.sender_ip) : nullptr;
    if (route == nullptr || route->via.raw != 0 || route->interface != interface) return;
    index = neighbours_.create(arp.sender_ip, interface);
    if (index == Neighbours::kNone) return;
    neighbours_[index].asking = route->source;
    neighbours_[index].used_ms = now_ms;
  }
  confirm(snapshot, index, arp.sender_mac, now_ms);
}

void NextHops::confirm(const Snapshot& snapshot, uint32_t index, net::MacAddress mac,
                       uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  neighbour.port = interface.port;
  neighbour.header = {mac, interface.mac, net::kEtherTypeIpv4};
  neighbour.frame_max = largest_frame(interface);
  neighbour.state = State::kReachable;
  neighbour.tries = 0;
  neighbours_.timers().set(index, now_ms + Neighbours::kReachableMs);
  while (void* waiting = neighbours_.next_waiting(index)) {
    auto* packet = static_cast<rte_mbuf*>(waiting);
    if (packet->pkt_len <= neighbour.frame_max) {
      transmit(packet, neighbour);
    } else {  // the MTU was larger when it began to wait
      tx_.drop(packet, DropReason::mtu_exceeded);
    }
  }
}

void NextHops::tick(const Snapshot& snapshot, uint64_t now_ms) {
  constexpr uint32_t kBudget = 64;
  neighbours_.timers().advance(now_ms, kBudget,
                               [&](uint32_t index) { expire(snapshot, index, now_ms); });
}

void NextHops::expire(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  switch (neighbour.state) {
    case State::kReachable:
      if (now_ms - neighbour.used_ms >= Neighbours::kUnusedMs) return neighbours_.remove(index);
      if (now_ms - neighbour.used_ms >= Neighbours::kReachableMs) {
        neighbours_.timers().set(index, now_ms + Neighbours::kReachableMs);  // idle: no probe
        return;
      }
      neighbour.state = State::kProbing;
      neighbour.tries = 0;
      break;
    case State::kProbing:
      if (neighbour.tries == Neighbours::kTries) {
        neighbour.state = State::kResolving;  // perhaps it has a new MAC: ask everyone
        neighbour.frame_max = 0;
        neighbour.tries = 0;
      }
      break;
    case State::kResolving:
      if (neighbour.tries == Neighbours::kTries) {
        drop_waiting(index);
        neighbour.state = State::kUnreachable;
        neighbours_.timers().set(index, now_ms + Neighbours::kUnreachableMs);
        return;
      }
      break;
    case State::kUnreachable:
      return neighbours_.remove(index);
    case State::kFree:
      return;
  }
  ++neighbour.tries;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  ask(snapshot, neighbour);
}

void NextHops::drop_waiting(uint32_t index) {
  while (void* waiting = neighbours_.next_waiting(index)) {
    tx_.drop(static_cast<rte_mbuf*>(waiting), DropReason::neighbour_unreachable);
  }
}

void NextHops::announce(const Snapshot& snapshot) {
  auto tell = [&](const InterfaceView& interface, net::Ipv4Address address) {
    rte_mbuf* packet = tx_.allocate(net::kArpFrameLength);
    if (packet == nullptr) return;
    net::arp_request({rte_pktmbuf_mtod(packet, uint8_t*), net::kArpFrameLength}, interface.mac,
                     address, address);
    counters_.count(Event::arp_requests_sent);
    tx_.send(interface.port, packet);
  };
  for (const InterfaceView& interface : snapshot.interfaces) {
    for (const net::Ipv4Prefix& own : interface.addresses) tell(interface, own.address);
    for (const net::Ipv4Address address : snapshot.own_everywhere) {
      const Route* route = snapshot.find_route(address);
      const bool on_link = route != nullptr && route->via.raw == 0;
      if (on_link && &snapshot.interfaces[route->interface] == &interface) tell(interface, address);
    }
  }
}

void NextHops::forget_routes() {
  neighbours_.new_generations();
}

}  // namespace sluice
