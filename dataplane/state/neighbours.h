// SPDX-License-Identifier: BSD-3-Clause
// Next hops on the link, of either family: their MAC addresses, and the packets that wait for one.
//
// Pure state with bounds on everything; who asks and who answers is stage/next_hops. An entry's
// generation changes when it is given to another address, so a flow may keep (index, generation).
//
//   resolving --answer--> reachable --in use, not confirmed lately--> probing --answer--> reachable
//       |                   |  ^                                         `-- silent --> resolving
//       |                   |  `-- the one that is known answers --.
//       |                   `-- somebody claims the address --> contested -- it does not -->
//       |                                                           reachable, with the other MAC
//       `-- kTries silent --> unreachable --kUnreachableMs--> gone
//
// The table is shared out, so that nobody can take what connections stand on. Each entry has a
// share:
//
//   configured  backends, gateways and pinned ones: as many as the configuration names
//   flows       next hops that established connections have used: all that the others leave, at
//               least half of the table with the configured ones
//   strangers   whoever asked for one of our addresses: a quarter of the table
//   unanswered  strangers whose MAC is asked for: a quarter of the table, a sixteenth an interface
//
// Where a share is full, its least recently used entry makes way (a queue with a second chance).
#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/net/headers.h"
#include "dataplane/state/flat_map.h"
#include "dataplane/state/timer_wheel.h"

namespace sluice {

/// What a neighbour of either family can be.
struct NeighbourKinds {
  enum class State : uint8_t {
    kFree,
    kResolving,
    kUnreachable,
    kReachable,
    kProbing,
    kContested,
    kPinned
  };
  enum class Share : uint8_t { kConfigured, kFlows, kStrangers };
};

template <class Address>
struct NeighbourOf : NeighbourKinds {
  Address ip;
  uint16_t interface;
  uint16_t port;               // ethdev port of the interface; with `header` set by an answer
  net::EthernetHeader header;  // of IP to this next hop
  uint16_t frame_max = 0;      // what may leave there as it is: with a MAC, by the interface's MTU
  State state = State::kFree;
  uint8_t tries = 0;
  uint16_t waiting_count = 0;
  uint32_t generation = 0;
  uint64_t used_ms = 0;       // a packet was sent to it
  uint64_t flow_used_ms = 0;  // the same, of an established flow
  // What only its resolution needs.
  uint32_t waiting_oldest = UINT32_MAX;
  uint32_t waiting_newest = UINT32_MAX;
  uint64_t confirmed_ms = 0;     // it answered
  uint64_t silent_since_ms = 0;  // probing: how long there has been no answer
  uint64_t contested_ms = 0;     // a claim of another MAC was looked into last
  net::MacAddress claimed;       // contested: what somebody says that its MAC is
  uint16_t claims = 0;           // and how many did
  Share share = Share::kStrangers;
  uint8_t list = 0;  // which queue it stands in
  uint32_t newer = UINT32_MAX;
  uint32_t older = UINT32_MAX;
  uint64_t queued_ms = 0;
  Address asking;      // source of our requests
  uint32_t named = 0;  // configured: by the network of this number, see NextHops
  TimerNode timer;

  net::MacAddress mac() const { return header.destination; }
  bool has_mac() const { return state >= State::kReachable; }
  uint64_t last_used_ms() const { return used_ms > flow_used_ms ? used_ms : flow_used_ms; }
};

template <class Address>
class NeighboursOf {
 public:
  using Neighbour = NeighbourOf<Address>;
  using Share = NeighbourKinds::Share;

  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint16_t kInterfaces = 16;
  static constexpr uint16_t kWaitingPerNeighbour = 1024;  // a gateway carries all clients
  static constexpr uint16_t kWaitingPerStranger = 32;
  static constexpr uint32_t kWaitingMax = 4096;  // strangers get half of it
  static constexpr uint8_t kTries = 4;
  static constexpr uint32_t kRetryMs = 500;
  static constexpr uint32_t kReachableMs =
      30'000;  // what is not confirmed for so long is asked anew
  static constexpr uint32_t kUnusedMs = 300'000;
  static constexpr uint32_t kUnreachableMs = 1'000;

  /// `hash_key` keeps whoever chooses addresses from choosing where they lie.
  NeighboursOf(uint32_t capacity, uint64_t now_ms, std::pmr::memory_resource* memory,
               uint64_t hash_key = 0x9e3779b97f4a7c15);
  static size_t bytes(uint32_t capacity) {
    return capacity * (sizeof(Neighbour) + sizeof(uint32_t)) + FlatMap<Key>::bytes(capacity) +
           kWaitingMax * sizeof(Waiting);
  }

  uint32_t find(const Address& ip, uint16_t interface) const {
    return numbers_.find({ip, 0, interface});
  }
  /// A new entry in state kResolving, or kNone when the table is full.
  uint32_t create(const Address& ip, uint16_t interface, Share share, uint64_t now_ms);
  /// Frees an entry that nobody waits for.
  void remove(uint32_t index);

  /// The entry that has to make way before one can be made with this share; kNone where there is
  /// room, or where nobody can make way.
  uint32_t victim_for_new(Share share, bool has_mac, uint16_t interface);
  /// The same for an entry that changes over to the strangers whose MAC is known, or is not.
  uint32_t victim_among_strangers(bool has_mac, uint16_t interface);
  /// Gives an entry another share, or the queue that its state asks for.
  void assign(uint32_t index, Share share, uint64_t now_ms);

  /// What a flow keeps with an index, to know later whether the entry is still the one it was.
  uint32_t generation(uint32_t index) const { return entries_[index].generation + epoch_; }
  /// Makes every (index, generation) that flows keep invalid; entries and MACs stay.
  void new_generations() { ++epoch_; }

  Neighbour& operator[](uint32_t index) { return entries_[index]; }
  const Neighbour& operator[](uint32_t index) const { return entries_[index]; }

  /// Queues a packet behind an entry; false when the entry's or the common bound is reached.
  bool wait(uint32_t index, void* packet);
  /// The oldest waiting packet, or nullptr.
  void* next_waiting(uint32_t index);

  TimerWheel& timers() { return timers_; }
  uint32_t capacity() const { return static_cast<uint32_t>(entries_.size()); }
  uint32_t count() const { return capacity() - static_cast<uint32_t>(free_.size()); }
  uint32_t count(Share share) const;
  /// Strangers that are asked for on an interface.
  uint32_t unanswered(uint16_t interface) const {
    return lists_[kUnansweredList + interface].count;
  }
  uint32_t waiting_count() const { return waiting_count_; }
  /// A number that differs from entry to entry and from process to process.
  uint32_t jitter(uint32_t index) const {
    return static_cast<uint32_t>((index + 1) * hash_key_ >> 32);
  }

 private:
  struct Key {
    Address ip;
    uint16_t zero;  // fills IPv4's key up to 8 bytes
    uint16_t interface;
  };
  struct Waiting {
    void* packet;
    uint32_t next;
  };
  struct List {
    uint32_t oldest = kNone;
    uint32_t newest = kNone;
    uint32_t count = 0;
  };
  static constexpr uint8_t kConfiguredList = 0;
  static constexpr uint8_t kFlowsList = 1;
  static constexpr uint8_t kStrangersList = 2;
  static constexpr uint8_t kUnansweredList = 3;  // and one for each further interface
  static constexpr uint8_t kLists = kUnansweredList + kInterfaces;

  uint8_t list_of(const Neighbour& entry) const;
  void link(uint32_t index, uint8_t list, uint64_t now_ms);
  void unlink(uint32_t index);
  uint32_t oldest_of(uint8_t list);
  uint32_t oldest_unanswered();
  uint32_t strangers_max() const { return capacity() < 4 ? 1 : capacity() / 4; }
  uint32_t unanswered_max() const;  // of an interface

  std::pmr::vector<Neighbour> entries_;
  std::pmr::vector<uint32_t> free_;
  FlatMap<Key> numbers_;  // of entries
  std::pmr::vector<Waiting> waiting_;
  uint32_t waiting_free_;
  uint32_t waiting_count_ = 0;
  uint32_t unanswered_count_ = 0;
  uint32_t epoch_ = 0;
  uint64_t hash_key_;
  std::array<List, kLists> lists_;
  TimerWheel timers_;
};

extern template class NeighboursOf<net::Ipv4Address>;
extern template class NeighboursOf<net::Ipv6Address>;

using Neighbour = NeighbourOf<net::Ipv4Address>;
using Neighbours = NeighboursOf<net::Ipv4Address>;

}  // namespace sluice
