// SPDX-License-Identifier: BSD-3-Clause
// Next hops on the link: their MAC addresses, and the packets that wait for one.
//
// Pure state with bounds on everything; who asks and who answers is dataplane/next_hops. An entry's
// generation changes when it is given to another address, so a flow may keep (index, generation).
//
//   resolving --answer--> reachable --kReachableMs, used--> probing --answer--> reachable
//       |                     `-------- unused kUnusedMs --> gone     `-- silent --> resolving
//       `-- kTries silent --> unreachable --kUnreachableMs--> gone
#pragma once

#include <bit>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/net/headers.h"
#include "dataplane/state/timer_wheel.h"

namespace sluice {

struct Neighbour {
  enum class State : uint8_t { kFree, kResolving, kUnreachable, kReachable, kProbing };

  net::Ipv4Address ip;
  uint16_t interface;
  uint16_t port;               // ethdev port of the interface; with `header` set by an answer
  net::EthernetHeader header;  // of IPv4 to this next hop
  uint16_t frame_max = 0;      // what may leave there as it is: with a MAC, by the interface's MTU
  State state = State::kFree;
  uint8_t tries = 0;
  uint16_t waiting_count = 0;
  uint32_t generation = 0;
  uint32_t waiting_oldest = UINT32_MAX;
  uint32_t waiting_newest = UINT32_MAX;
  uint64_t used_ms = 0;
  net::Ipv4Address asking;  // source of our requests
  TimerNode timer;

  net::MacAddress mac() const { return header.destination; }
  bool has_mac() const { return state >= State::kReachable; }
};

class Neighbours {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint16_t kWaitingPerNeighbour = 1024;  // a gateway carries all clients
  static constexpr uint32_t kWaitingMax = 4096;
  static constexpr uint8_t kTries = 4;
  static constexpr uint32_t kRetryMs = 500;
  static constexpr uint32_t kReachableMs = 30'000;
  static constexpr uint32_t kUnusedMs = 300'000;
  static constexpr uint32_t kUnreachableMs = 1'000;

  Neighbours(uint32_t capacity, uint64_t now_ms, std::pmr::memory_resource* memory);
  static size_t bytes(uint32_t capacity) {
    return capacity * (sizeof(Neighbour) + sizeof(uint32_t)) +
           std::bit_ceil(size_t{capacity} * 2) * sizeof(uint32_t) + kWaitingMax * sizeof(Waiting);
  }

  uint32_t find(net::Ipv4Address ip, uint16_t interface) const;
  /// A new entry in state kResolving, or kNone when the table is full.
  uint32_t create(net::Ipv4Address ip, uint16_t interface);
  /// Frees an entry that nobody waits for.
  void remove(uint32_t index);
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

 private:
  struct Waiting {
    void* packet;
    uint32_t next;
  };

  uint32_t bucket_of(net::Ipv4Address ip, uint16_t interface) const;

  std::pmr::vector<Neighbour> entries_;
  std::pmr::vector<uint32_t> free_;
  std::pmr::vector<uint32_t> buckets_;  // open addressing, linear probing; entry indices
  std::pmr::vector<Waiting> waiting_;
  uint32_t waiting_free_;
  uint32_t epoch_ = 0;
  TimerWheel timers_;
};

}  // namespace sluice
