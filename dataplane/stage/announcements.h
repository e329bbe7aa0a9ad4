// SPDX-License-Identifier: BSD-3-Clause
// Tells a link about our addresses, so that neighbours drop what they remember of a predecessor,
// and switches learn where we are (gratuitous ARP; RFC 5227, section 3. Unsolicited neighbour
// advertisements; RFC 4861, section 7.2.6).
//
// Three times, a second apart or more: a link that has just come up may lose the first. Of IPv6 a
// round goes before, which asks whether somebody else has the address (RFC 4862, section 5.4); the
// address is used meanwhile, and kept: whoever answers is counted and named (nd_input.cc).
//
// What is due is taken from a queue (a place in LinkAddresses::announced) in small bursts, so that
// ten thousand addresses neither flood the link nor hold up packets: three rounds of them take
// 7.5 s.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/port/tx.h"
#include "dataplane/state/snapshot.h"

namespace sluice {

class Announcements {
 public:
  static constexpr uint32_t kRounds = 3;
  static constexpr uint32_t kDadRounds = 1;  // RFC 4862, section 5.1: DupAddrDetectTransmits
  static constexpr uint32_t kRoundMs = 1'000;
  static constexpr uint32_t kBurst = 64;  // of all interfaces and both families together
  static constexpr uint32_t kBurstMs = 16;

  Announcements(Tx& tx, WorkerCounters& counters) : tx_(tx), counters_(counters) {}

  /// From the first address of an interface again.
  void begin(uint16_t interface, uint64_t now_ms);
  /// Sends what is due.
  void tick(const Snapshot& snapshot, uint64_t now_ms) {
    if (pending_ != 0 && now_ms >= next_burst_ms_) [[unlikely]] {
      send_burst(snapshot, now_ms);
    }
  }

 private:
  struct Queue {
    uint32_t rounds_left = 0;
    uint32_t next = 0;      // index into the interface's addresses
    uint64_t round_ms = 0;  // when the round in hand began or begins
  };

  /// Of an interface.
  struct Queues {
    Queue v4, v6;
    bool are_over() const { return v4.rounds_left == 0 && v6.rounds_left == 0; }
  };

  void send_burst(const Snapshot& snapshot, uint64_t now_ms);
  /// Returns how many of `budget` are left.
  template <class Address>
  uint32_t send_some(const InterfaceView& interface, Queue& queue, uint64_t now_ms,
                     uint32_t budget);
  bool send_one(const InterfaceView& interface, net::Ipv4Address address, const Queue& queue);
  bool send_one(const InterfaceView& interface, const net::Ipv6Address& address,
                const Queue& queue);

  Tx& tx_;
  WorkerCounters& counters_;
  std::array<Queues, kInterfacesMax> queues_;
  uint32_t pending_ = 0;  // a bit for each interface with rounds left
  uint64_t next_burst_ms_ = 0;
};

}  // namespace sluice
