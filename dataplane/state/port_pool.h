// SPDX-License-Identifier: BSD-3-Clause
// The local ports of one (worker, local ip, backend): for TCP in the order in which they were given
// back, for UDP in none.
//
// Here a local port is chosen. Two FIFOs share the records: ports whose tuple the backend has
// forgotten, and ports whose tuple it holds in TIME_WAIT. Each gives at its head the port that has
// rested longest; taking and giving back are O(1), however many ports, and nothing is ever
// searched.
//
//            take_*                                  give_back
//   available: [oldest] <-> ... <-> [newest]   <--   client closed first, RST, timeout
//   time_wait: [oldest] <-> ... <-> [newest]   <--   backend closed first, or both at once
//
// take_unadjusted() tries in this order: a port that was never used; an available port after its
// guard time; a port in TIME_WAIT that has rested TIME_WAIT out; then what the policy allows as the
// SYN is: `natural` one of the kNaturalTries oldest ports in TIME_WAIT if Linux would take it
// there, `rebase` the oldest if every stack would. take_adjusted() is for `rebase` alone: the
// oldest port in TIME_WAIT with the smallest adjustment, then an available port still in its guard.
//
// UDP has no numbers that would tell a connection of a tuple from the one before: a port of it
// rests until no answer to its last flow can be on its way any more, and is then as good as any
// other. take_random() draws among all that have rested (RFC 6056, section 3.3.1), never the same
// port twice in a row where there is another. What rests stands in the same two FIFOs: `available`
// after a flow whose client had all its answers, `time_wait` after one to which an answer may still
// come. What has rested is in a bag: an array of ports, in the records of those that were used
// first.
//
// The order of first use is random (RFC 6056): that of the PortSet, from a random number on. Every
// backend has all the ports to itself (RFC 7857, section 2). Memory is taken for 256 of them at a
// time, when the first of these is used (port_chunks.h). A port names the flow that uses it, or
// that used it last: by that the backend's packets find their flow, late ones of an old connection
// too, until the port is taken anew.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "dataplane/net/siphash.h"
#include "dataplane/state/counter.h"
#include "dataplane/state/pool_name.h"
#include "dataplane/state/port_chunks.h"
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
  uint32_t guard_ms = 100;         // rest of an available port
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
  constexpr std::string_view kNames[] = {"fresh", "available", "rested", "natural", "rebased"};
  return kNames[static_cast<size_t>(reuse)];
}

class PortPool {
 public:
  using Use = PortUse;
  using Place = PortUse::Place;
  static constexpr uint32_t kNoFlow = PortUse::kNoFlow;
  static constexpr int kNaturalTries = 8;
  /// How long a UDP port rests to which an answer may still come.
  static constexpr uint32_t kLateAnswerMs = 2'000;

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
    Counter reuse_available;
    Counter reuse_rested;
    Counter reuse_natural;
    Counter reuse_rebased;
    Counter tsval_adjusts;
    Counter sequence_adjusts;
    Counter heals;
    Counter
        avoided;  // takes that found the oldest port in TIME_WAIT unusable for their SYN as it was
    Counter exhausted;
    Counter available;  // now: ports never used, and those of the first FIFO
    Counter time_wait;  // now: those of the second
    Counter chunks;     // of memory that it has
  };

  /// Takes its first chunk; `source` outlives it. Throws std::bad_alloc.
  PortPool(std::shared_ptr<const PortSet> set, net::Random& random, PortChunks& source,
           const PoolName& name = {});
  PortPool(const PortPool&) = delete;
  PortPool& operator=(const PortPool&) = delete;
  ~PortPool();

  /// Control thread, before the pool is used: takes memory for all ports.
  void take_all_memory();

  /// A port that this SYN may use as it is, or nothing.
  std::optional<Taken> take_unadjusted(const SynNumbers& syn, const ReuseRules& rules,
                                       uint32_t now_ms);
  /// The oldest port, with whatever adjustment it needs; only for ReusePolicy::kRebase.
  std::optional<Taken> take_adjusted(const SynNumbers& syn, net::Random& random);
  /// A port for a UDP flow, or nothing. Where its last client had all answers it has rested for
  /// `guard_ms`. A part of the ports, 1 / `kept`, is left for others; 0: none.
  std::optional<Taken> take_random(uint32_t guard_ms, uint32_t kept, uint32_t now_ms,
                                   net::Random& random);
  /// Whether any resting tuple's numbers at the backend are known.
  bool holds_known() const { return time_wait_.head != kNone; }
  void count_exhausted() { counters_.exhausted.add(); }

  /// Names the flow that uses a port which was taken.
  void bind(uint16_t port, uint32_t flow) { use(port).flow = flow; }
  /// nullptr if the port is not in this pool. A port's first use moves it elsewhere: the pointer is
  /// valid for a burst, and may then say that no flow has the port. A caller with a burst of ports
  /// prefetches it.
  const Use* find(uint16_t port) const {
    const uint16_t index = set_->find(port);
    return index == PortSet::kNone ? nullptr : &use_at(index);
  }

  /// Ends the use of a port. `prior` is what its tuple left behind; `flow` still translates for
  /// it.
  void give_back(uint16_t port, const PriorIncarnation& prior, uint32_t flow);
  /// Ends a use that the backend never answered: what was known of the tuple before still holds.
  void give_back_unanswered(uint16_t port, const PriorIncarnation& sent, uint32_t flow);
  /// Ends a UDP flow's use of a port, to which an answer may still come, or not.
  void give_back_udp(uint16_t port, bool answer_due, uint32_t now_ms);
  /// The backend still sends to a port that has no UDP flow: it rests anew. Nothing happens where
  /// the port is in use, or not in this pool.
  void touch_udp(uint16_t port, uint32_t now_ms);
  /// A heal learned what the backend holds of a port in use.
  void learn(uint16_t port, const PriorIncarnation& learned) {
    remember(set_->find(port), learned);
  }
  /// The backend heard of a tuple in TIME_WAIT again: its TIME_WAIT starts anew, its numbers may
  /// grow.
  void touch(uint16_t port, const PriorIncarnation& heard);
  /// Keeps the closing time of the port that was used as the n-th (of used_count()) within reach of
  /// a 32-bit clock, see stamp.h.
  void age(uint32_t n, uint32_t now_ms) {
    uint32_t& closed_ms = record(number_after(n)).closed_ms;
    closed_ms = stamp_kept_in_range(now_ms, closed_ms);
  }
  /// A flow that translated for a resting port is gone.
  void forget_flow(uint16_t port, uint32_t flow);

  /// What is known of a port's tuple (while in use: of the use before).
  PriorIncarnation prior(uint16_t port) const { return prior_at(set_->find(port)); }
  bool in_use(uint16_t port) const { return use(port).place == Place::kInUse; }

  // Before the worker starts: what a process before this one has left. Then end_adoption(), once.
  /// A flow of ours holds the port; false where another does, where the port is not in this pool,
  /// or where there is no memory for it.
  bool adopt_in_use(uint16_t port, uint32_t flow);
  /// A port that rests, which no flow of ours holds, `place` being where; false as above.
  bool adopt_resting(uint16_t port, const PriorIncarnation& prior, Place place);
  /// A flow of ours still translates for a port that rests.
  void adopt_late(uint16_t port, uint32_t flow);
  /// Puts all ports of which there is something to remember into their lists.
  void end_adoption(uint32_t now_ms);

  const PortSet& set() const { return *set_; }
  /// How many ports have been used at least once.
  uint32_t used_count() const { return set_->size() - fresh_left_; }
  static constexpr size_t chunks_of(uint32_t port_count) {
    return (port_count + PortChunk::kPorts - 1) / PortChunk::kPorts;
  }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

 private:
  struct Fifo {
    uint16_t head = kNone;
    uint16_t tail = kNone;
  };

  static constexpr uint16_t kNone = PortSet::kNone;
  static_assert(PortSet::kNone == PortRecord::kNone);
  static constexpr uint32_t kChunkPorts = PortChunk::kPorts;
  static constexpr size_t kChunksMax = 65536 / kChunkPorts;

  // An index is a port's number in the set.
  Use& use_at(uint16_t index) { return chunks_[index / kChunkPorts]->uses[index % kChunkPorts]; }
  const Use& use_at(uint16_t index) const {
    return chunks_[index / kChunkPorts]->uses[index % kChunkPorts];
  }
  PortRecord& record(uint16_t index) {
    return chunks_[index / kChunkPorts]->records[index % kChunkPorts];
  }
  const PortRecord& record(uint16_t index) const {
    return chunks_[index / kChunkPorts]->records[index % kChunkPorts];
  }
  Use& use(uint16_t port) { return use_at(set_->find(port)); }
  const Use& use(uint16_t port) const { return use_at(set_->find(port)); }
  PriorIncarnation prior_at(uint16_t index) const {
    const Use& use = use_at(index);
    const PortRecord& r = record(index);
    return {r.closed_ms, r.rcv_nxt, r.ts_recent, use.kind, use.timestamps};
  }
  void remember(uint16_t index, const PriorIncarnation& prior) {
    PortRecord& r = record(index);
    r.closed_ms = prior.closed_ms;
    r.rcv_nxt = prior.rcv_nxt;
    r.ts_recent = prior.ts_recent;
    Use& use = use_at(index);
    use.kind = prior.kind;
    use.timestamps = prior.timestamps;
  }
  Fifo& fifo(Place place) { return place == Place::kAvailable ? available_ : time_wait_; }
  Counter& fifo_size(Place place) {
    return place == Place::kAvailable ? counters_.available : counters_.time_wait;
  }

  /// The order of chunks in a pool that has adopted ports: theirs come first, as used.
  struct ChunkOrder {
    std::array<uint8_t, kChunksMax> chunk_at{};
    std::array<uint8_t, kChunksMax> place_of{};
    uint32_t adopted_count = 0;  // chunks
    uint32_t port_count = 0;     // in them
    uint32_t lacking = 0;        // ports that the last of them has less than others
  };

  // The number of the port that is used as the n-th, from 0 on.
  uint16_t number_after(uint32_t n) const {
    if (order_ != nullptr) [[unlikely]]
      return adopted_number(n);
    const uint32_t number = first_ + n;
    return static_cast<uint16_t>(number < set_->size() ? number : number - set_->size());
  }
  bool has_memory(size_t chunk) const { return chunks_[chunk] != &kUnused; }
  void give_memory(size_t chunk, PortChunk* memory);
  // Whether there is a port that was never used, and memory for it: it is taken if need be.
  bool may_use_fresh() {
    if (fresh_left_ == 0) return false;
    const size_t chunk = number_after(used_count()) / kChunkPorts;
    return has_memory(chunk) || take_memory(chunk);
  }
  bool take_memory(size_t chunk);

  uint32_t& bag(uint32_t n) { return record(number_after(n)).drawn; }
  bool was_used(uint16_t index) const {
    if (order_ != nullptr) [[unlikely]]
      return adopted_was_used(index);
    const uint32_t n = index >= first_ ? index - first_ : index + set_->size() - first_;
    return n < used_count();
  }
  uint16_t adopted_number(uint32_t n) const;
  bool adopted_was_used(uint16_t index) const;
  uint16_t adopted_index(uint16_t port);
  bool is_adopted(uint16_t index) const;
  uint32_t ports_in(size_t chunk) const;
  void order_chunks();
  uint16_t draw(net::Random& random);
  bool is_touched(uint16_t index, uint32_t now_ms);
  void fill_bag(Place place, uint32_t rest_ms, uint32_t now_ms);

  void push(uint16_t index, Place place);
  void unlink(uint16_t index);
  Taken use_fresh();
  Taken reuse(uint16_t index, PortReuse reuse, net::SeqAdjust adjust);
  Taken take(uint16_t index, PortReuse reuse, net::SeqAdjust adjust);
  uint16_t natural_candidate(const SynNumbers& syn) const;

  // What is known of ports that have no memory yet: nothing. Never written.
  static PortChunk kUnused;

  std::shared_ptr<const PortSet> set_;
  PortChunks& source_;
  PoolName name_;
  uint32_t first_ = 0;       // the number of the port that is used first
  uint32_t fresh_left_ = 0;  // ports that were never used
  Fifo available_;
  Fifo time_wait_;
  uint32_t bag_count_ = 0;  // ports that may be drawn; never more than have been used
  uint16_t last_ = kNone;   // that was drawn last
  Counters counters_;
  std::array<PortChunk*, kChunksMax> chunks_;
  std::unique_ptr<std::bitset<kChunksMax>> adopted_;  // while ports are adopted
  std::unique_ptr<const ChunkOrder> order_;           // then, if there were any
};

}  // namespace sluice
