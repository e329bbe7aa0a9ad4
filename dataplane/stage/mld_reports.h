// SPDX-License-Identifier: BSD-3-Clause
// Tells switches that snoop, and multicast routers, which groups we listen to: the solicited-node
// groups of our addresses, by which neighbours are asked for them (RFC 4861, section 7.2.1; RFC
// 3810).
//
// Twice when a link comes up or our addresses change, after a random delay in answer to queries,
// and once a minute unasked, because a switch without a querier forgets. Reports of ten thousand
// groups leave in small bursts, and no flood of queries makes more than one round a second.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/net/mld.h"
#include "dataplane/net/siphash.h"
#include "dataplane/port/tx.h"
#include "dataplane/state/snapshot.h"

namespace sluice {

class MldReports {
 public:
  static constexpr uint32_t kJoins = 2;            // RFC 3810, section 9.1: Robustness Variable
  static constexpr uint32_t kJoinAgainMs = 1'000;  // section 9.11, at most
  static constexpr uint32_t kUnaskedMs = 60'000;
  static constexpr uint32_t kRoundMs = 1'000;  // between the beginnings of two rounds
  static constexpr uint32_t kGroupsMax = 64;   // of a report
  static constexpr uint32_t kBurst = 4;        // reports, of all interfaces together
  static constexpr uint32_t kBurstMs = 16;

  MldReports(Tx& tx, WorkerCounters& counters, net::Random& random)
      : tx_(tx), counters_(counters), random_(random) {}

  /// Our groups on that link are new to it.
  void begin(uint16_t interface, uint64_t now_ms);
  /// A query that came in there.
  void hear(const Snapshot& snapshot, uint16_t interface, const net::MldQuery& query,
            uint64_t now_ms);
  /// Sends what is due.
  void tick(const Snapshot& snapshot, uint64_t now_ms) {
    if (now_ms >= next_ms_) [[unlikely]] {
      send_burst(snapshot, now_ms);
    }
  }

 private:
  struct Queue {
    uint64_t round_ms = UINT64_MAX;  // when the next round over all groups begins
    uint64_t last_ms = 0;            // when the last one began
    uint64_t group_ms = UINT64_MAX;  // when `group` is reported
    net::Ipv6Address group{};
    uint32_t joins_left = 0;
    uint32_t next = 0;  // group of the round in hand; where there is one
    bool in_round = false;
  };

  uint64_t random_ms(uint32_t max) { return max == 0 ? 0 : random_.below(max); }
  void wake(uint64_t when) { next_ms_ = std::min(next_ms_, std::max(when, burst_ms_)); }
  uint64_t due_ms(const Queue& queue) const;
  void send_burst(const Snapshot& snapshot, uint64_t now_ms);
  /// Returns how many reports of `budget` are left.
  uint32_t send_some(const InterfaceView& interface, Queue& queue, uint64_t now_ms,
                     uint32_t budget);
  void end_round(Queue& queue, uint64_t now_ms);
  bool send_report(const InterfaceView& interface, net::MldRecordType type,
                   std::span<const net::Ipv6Address> groups);

  Tx& tx_;
  WorkerCounters& counters_;
  net::Random& random_;
  std::array<Queue, kInterfacesMax> queues_;
  uint64_t next_ms_ = UINT64_MAX;  // of all queues
  uint64_t burst_ms_ = 0;          // not before
};

}  // namespace sluice
