// SPDX-License-Identifier: BSD-3-Clause
// Where a worker's clocks go, stage by stage, as sampled: one burst in a thousand is timed.
//
// A worker that has none of it does not ask for the time. Written by the worker, read by anyone.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/state/counter.h"

namespace sluice {

/// In the order of a packet's way. What the stages send beyond a full burst leaves within them.
enum class ClockedStage : uint8_t {
  kReceive,   // from the device
  kParse,     // with where to look its flow up
  kLookUp,    // until its flow is on the way to the cache
  kInbound,   // from clients: translated, or a flow opened
  kOutbound,  // from backends
  kOther,     // ARP, ICMP, the kernel's, and what belongs to nobody
  kTransmit,  // to the device
  kUpkeep,    // timers, next hops and the like, of one iteration
};
inline constexpr std::string_view kClockedStageNames[] = {
    "receive", "parse", "look-up", "inbound", "outbound", "other", "transmit", "upkeep"};

class StageClocks {
 public:
  static constexpr uint32_t kOneIn = 1000;  // bursts

  struct Stage {
    Counter packets;
    Counter ticks;
  };
  using Stages = std::array<Stage, std::size(kClockedStageNames)>;

  /// Asked for each burst: whether it is one to be timed.
  bool is_due() {
    if (--left_ > 0) return false;
    left_ = kOneIn;
    bursts_.add();
    return true;
  }
  void note(ClockedStage stage, uint64_t packets, uint64_t ticks) {
    stages_[static_cast<size_t>(stage)].packets.add(packets);
    stages_[static_cast<size_t>(stage)].ticks.add(ticks);
  }

  const Stages& stages() const { return stages_; }
  uint64_t burst_count() const { return bursts_.value(); }

 private:
  uint32_t left_ = kOneIn;
  Counter bursts_;
  Stages stages_;
};

}  // namespace sluice
