// SPDX-License-Identifier: BSD-3-Clause
// From a destination address to a frame on a port: route, neighbour, Ethernet header.
//
// A flow remembers its NextHop, so a packet normally costs one compare and one header write.
// Unknown next hops are asked for by ARP with retries while a bounded queue of packets waits; known
// ones are confirmed by unicast probes while they are used and forgotten when they are not (RFC
// 1122, section 2.3.2.1).
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/net/headers.h"
#include "dataplane/state/flow.h"
#include "dataplane/state/neighbours.h"
#include "dataplane/tx.h"

namespace sluice {

class NextHops {
 public:
  NextHops(Tx& tx, WorkerCounters& counters, uint32_t neighbour_count_max, uint64_t now_ms,
           std::pmr::memory_resource* memory)
      : tx_(tx), counters_(counters), neighbours_(neighbour_count_max, now_ms, memory) {}

  /// Sends an IPv4 packet (Ethernet header in place, to be filled in) towards `destination`, now or
  /// when its next hop has answered. Takes the packet over, but for one that is larger than the way
  /// out takes: then it returns false, and mtu() is what it takes.
  [[nodiscard]] bool try_send(const Snapshot& snapshot, rte_mbuf* packet,
                              net::Ipv4Address destination, NextHop& hop, uint64_t now_ms) {
    if (hop.neighbour != Neighbours::kNone &&
        neighbours_.generation(hop.neighbour) == hop.generation) [[likely]] {
      Neighbour& neighbour = neighbours_[hop.neighbour];
      // None fits where there is no MAC.
      if (packet->pkt_len <= neighbour.frame_max) [[likely]] {
        neighbour.used_ms = now_ms;
        transmit(packet, neighbour);
        return true;
      }
    }
    return send_unresolved(snapshot, packet, destination, hop, now_ms);
  }

  /// The same for packets of our own: one that is too large is dropped.
  void send(const Snapshot& snapshot, rte_mbuf* packet, net::Ipv4Address destination, NextHop& hop,
            uint64_t now_ms) {
    if (!try_send(snapshot, packet, destination, hop, now_ms)) {
      tx_.drop(packet, net::DropReason::mtu_exceeded);
    }
  }

  /// Of the way out that `hop` stands for, after try_send().
  uint16_t mtu(const Snapshot& snapshot, NextHop hop) const {
    return snapshot.interfaces[neighbours_[hop.neighbour].interface].mtu;
  }

  /// Learns from an ARP packet that came in on `interface`. Entries are made only for senders that
  /// asked for one of our addresses (RFC 826); others update what is there.
  void learn(const Snapshot& snapshot, const net::ArpHeader& arp, uint16_t interface,
             bool asks_for_us, uint64_t now_ms);

  /// Retries, probes and ageing that are due.
  void tick(const Snapshot& snapshot, uint64_t now_ms);

  /// Tells the links about our addresses, so that neighbours drop what they remember of a
  /// predecessor.
  void announce(const Snapshot& snapshot);

  /// Asks for the next hop towards `destination` before the first packet needs it.
  void prepare(const Snapshot& snapshot, net::Ipv4Address destination, uint64_t now_ms);

  /// Makes every remembered hop look its route up anew; after routes changed.
  void forget_routes();

  const Neighbours& neighbours() const { return neighbours_; }

 private:
  uint32_t resolve(const Snapshot& snapshot, net::Ipv4Address destination, net::DropReason& reason);
  void transmit(rte_mbuf* packet, const Neighbour& neighbour) {
    *rte_pktmbuf_mtod(packet, net::EthernetHeader*) = neighbour.header;
    tx_.send(neighbour.port, packet);
  }
  bool send_unresolved(const Snapshot& snapshot, rte_mbuf* packet, net::Ipv4Address destination,
                       NextHop& hop, uint64_t now_ms);
  void begin_asking(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void ask(const Snapshot& snapshot, const Neighbour& neighbour);
  void confirm(const Snapshot& snapshot, uint32_t index, net::MacAddress mac, uint64_t now_ms);
  void expire(const Snapshot& snapshot, uint32_t index, uint64_t now_ms);
  void drop_waiting(uint32_t index);

  Tx& tx_;
  WorkerCounters& counters_;
  Neighbours neighbours_;
};

}  // namespace sluice
