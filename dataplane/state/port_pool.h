// SPDX-License-Identifier: BSD-3-Clause
// The local ports of one (worker, local ip, backend), in the order in which they were given back.
//
// Here a local port is chosen. Two FIFOs share the records: ports whose tuple is clean at the
// backend, and ports whose tuple the backend holds in TIME_WAIT. Each gives at its head the port
// that has rested longest; taking and giving back are O(1), however many ports, and nothing is ever
// searched.
//
//        take_*                                  give_back
//   clean: [oldest] <-> ... <-> [newest]   <--   client closed first, RST, timeout
//   held:  [oldest] <-> ... <-> [newest]   <--   backend closed first, or both at once
//
// take_unadjusted() tries in this order: a available port after its guard time; a port in TIME_WAIT
// that has rested TIME_WAIT out; then what the policy allows as the SYN is: `natural` one of the
// kNaturalTries oldest ports in TIME_WAIT if Linux would take it there, `rebase` the oldest if
// every stack would. take_adjusted() is for `rebase` alone: the oldest port in TIME_WAIT with the
// smallest adjustment, then a available port still in its guard.
//
// The first order is random (RFC 6056); every backend has all the ports to itself (RFC 7857,
// section 2). A port names the flow that uses it, or that used it last: by that the backend's
// packets find their flow, late ones of an old connection too, until the port is taken anew.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/state/counter.h"
#include "dataplane/state/port_set.h"
#include "dataplane/state/stamp.h"
#include "dataplane/state/time_wait.h"

namespace sluice {

enum class ReusePolicy : uint8_t {
  kNever,    // TIME_WAIT is waited out
  kNatural,  // and a SYN that the backend takes as it is may go
  kRebase,   // and any other SYN is adjusted
};

struct ReuseRules {
  ReusePolicy policy = ReusePolicy::kRebase;
  uint32_t time_wait_ms = 60'000;  // the backends' TIME_WAIT
  uint32_t guard_ms = 100;         // rest of a available port
};

/// How a port was come by; also the order of counters in `show pools`.
enum class PortReuse : uint8_t {
  kFresh,      // never used before
  kAvailable,  // the backend had forgotten the tuple
  kRested,     // TIME_WAIT was over
  kNatural,    // in TIME_WAIT, and the SYN is taken as it is
  kRebased,    // in TIME_WAIT, and the SYN was shifted
};

constexpr std::string_view name_of(PortReuse reuse) {
  constexpr std::string_view kNames[] = {"fresh", "clean", "rested", "natural", "fitted"};
  return kNames[static_cast<size_t>(reuse)];
}

class PortPool {
 public:
  static constexpr uint32_t kNoFlow = (1u << 24) - 1;
  static constexpr int kNaturalTries = 8;

  enum class Place : uint8_t { kInUse, kAvailable, kTimeWait };

  /// What a packet on its way back needs: apart from the rest, so that sixteen ports are one cache
  /// line.
  struct Use {
    uint32_t flow : 24 = kNoFlow;  // that uses the port, or used it last
    Place place : 2 = Place::kInUse;
    PriorIncarnation::Kind kind : 2 =
        PriorIncarnation::Kind::kFresh;  // of the PriorIncarnation, like timestamps
    bool timestamps : 1 = false;
  };

  struct Taken {
    uint16_t port;  // host order
    PortReuse reuse;
    net::SeqAdjust adjust;
    uint32_t old_flow;  // flow that still translates late segments of the tuple, or kNoFlow
  };

  /// Written by the owning worker, read by anyone.
  struct Counters {
    Counter in_use;
    Counter peak;   // highest in_use seen
    Counter taken;  // every grant, of whichever kind
    Counter fresh;
    Counter reuse_clean;
    Counter reuse_rested;
    Counter reuse_natural;
    Counter reuse_rebased;
    Counter tsval_adjusts;
    Counter sequence_adjusts;
    Counter heals;
    Counter
        avoided;  // takes that found the oldest port in TIME_WAIT unusable for their SYN as it was
    Counter exhausted;
    Counter clean;  // ports in each FIFO now
    Counter held;
  };

  PortPool(std::shared_ptr<const PortSet> set, net::Random& random,
           std::pmr::memory_resource* memory = std::pmr::get_default_resource());

  /// A port that this SYN may use as it is, or nothing.
  std::optional<Taken> take_unadjusted(const SynNumbers& syn, const ReuseRules& rules,
                                       uint32_t now_ms);
  /// The oldest port, with whatever fit it needs; only for ReusePolicy::kRebase.
  std::optional<Taken> take_adjusted(const SynNumbers& syn, net::Random& random);
  /// Whether any resting tuple's numbers at the backend are known.
  bool holds_known() const { return time_wait_.head != kNone; }
  void count_exhausted() { counters_.exhausted.add(); }

  /// Names the flow that uses a port which was taken.
  void bind(uint16_t port, uint32_t flow) { use(port).flow = flow; }
  /// nullptr if the port is not in this pool. The pointer is valid for the pool's lifetime; a
  /// caller with a burst of ports prefetches it.
  const Use* find(uint16_t port) const {
    const uint16_t index = set_->find(port);
    return index == PortSet::kNone ? nullptr : &uses_[index];
  }

  /// Ends the use of a port. `prior` is what its tuple left behind; `flow` still translates for
  /// it.
  void give_back(uint16_t port, const PriorIncarnation& prior, uint32_t flow);
  /// Ends a use that the backend never answered: what was known of the tuple before still holds.
  void give_back_unanswered(uint16_t port, const PriorIncarnation& sent, uint32_t flow);
  /// A heal learned what the backend holds of a port in use.
  void learn(uint16_t port, const PriorIncarnation& learned) {
    remember(set_->index_of(port), learned);
  }
  /// The backend heard of a tuple in TIME_WAIT again: its TIME_WAIT starts anew, its numbers may
  /// grow.
  void touch(uint16_t port, const PriorIncarnation& heard);
  /// Keeps the closing time of the port with this number in the set within reach of a 32-bit clock,
  /// see stamp.h.
  void age(uint32_t index, uint32_t now_ms) {
    records_[index].closed_ms = stamp_kept_in_range(now_ms, records_[index].closed_ms);
  }
  /// A flow that translated for a resting port is gone.
  void forget_flow(uint16_t port, uint32_t flow);

  /// What is known of a port's tuple (while in use: of the use before).
  PriorIncarnation prior(uint16_t port) const { return prior_at(set_->index_of(port)); }
  bool in_use(uint16_t port) const { return use(port).place == Place::kInUse; }

  const PortSet& set() const { return *set_; }
  static size_t bytes(uint32_t port_count) { return port_count * (sizeof(Use) + sizeof(Record)); }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Record {
    uint32_t closed_ms = 0;  // these: the rest of the PriorIncarnation
    uint32_t rcv_nxt = 0;
    uint32_t ts_recent = 0;
    uint16_t newer = kNone;  // towards the tail
    uint16_t older = kNone;  // towards the head
  };
  // There is one for each port of each pool: it decides what flows cost.
  static_assert(sizeof(Use) == 4 && sizeof(Record) == 16);

  struct Fifo {
    uint16_t head = kNone;
    uint16_t tail = kNone;
  };

  static constexpr uint16_t kNone = PortSet::kNone;

  Use& use(uint16_t port) { return uses_[set_->index_of(port)]; }
  const Use& use(uint16_t port) const { return uses_[set_->index_of(port)]; }
  PriorIncarnation prior_at(uint16_t index) const {
    const Use& use = uses_[index];
    const Record& r = records_[index];
    return {r.closed_ms, r.rcv_nxt, r.ts_recent, use.kind, use.timestamps};
  }
  void remember(uint16_t index, const PriorIncarnation& prior) {
    records_[index].closed_ms = prior.closed_ms;
    records_[index].rcv_nxt = prior.rcv_nxt;
    records_[index].ts_recent = prior.ts_recent;
    uses_[index].kind = prior.kind;
    uses_[index].timestamps = prior.timestamps;
  }
  Fifo& fifo(Place place) { return place == Place::kAvailable ? available_ : time_wait_; }
  Counter& fifo_size(Place place) {
    return place == Place::kAvailable ? counters_.clean : counters_.held;
  }

  void push(uint16_t index, Place place);
  void unlink(uint16_t index);
  Taken reuse(uint16_t index, PortReuse reuse, net::SeqAdjust adjust);
  uint16_t natural_candidate(const SynNumbers& syn) const;

  std::shared_ptr<const PortSet> set_;
  std::pmr::vector<Use> uses_;
  std::pmr::vector<Record> records_;
  Fifo available_;
  Fifo time_wait_;
  Counters counters_;
};

}  // namespace sluice
