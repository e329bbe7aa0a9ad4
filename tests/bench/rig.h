// SPDX-License-Identifier: BSD-3-Clause
// The real Core and run_burst() between two ports made of memory; all that benches know of them.
//
//   clients 10.64.0.0/10 -- gateway -- [0] Sluice [1] --- backends 10.2.0.10.. :80
//                                     VIP 10.3.0.1:80     locals 10.2.1.1..
//
// A burst is taken from the buffer pool, as a port's receive does it, and written by the bench;
// transmit gives buffers back, as a port's does. With `pipeline = false` the burst goes to transmit
// directly: the same loop then costs what the generator costs, to be taken off.
//
// Either side may be of IPv6, with the addresses that test::v6_of() makes of these.
#pragma once

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include <memory>
#include <vector>

#include "dataplane/port/kernel_rings.h"
#include "dataplane/port/memory.h"
#include "dataplane/stage/core.h"
#include "tests/bench/frames.h"
#include "tests/families/families.h"

namespace sluice::bench {

inline constexpr uint16_t kClientSide = 0;
inline constexpr uint16_t kBackendSide = 1;

struct RigOptions {
  uint32_t flow_count_max = 65536;
  uint32_t syn_count_max = 65536;
  uint32_t neighbour_count_max = 1024;
  uint32_t backends = 1;
  uint32_t locals = 1;
  PortRange ports = {1024, 65535};
  uint32_t worker = 0;  // of `workers`, which share the ports
  uint32_t workers = 1;
  OnRefusal on_refusal = OnRefusal::kReset;
  bool rewrite_timestamps = false;
  FlowIndexKind flow_index = FlowIndexKind::kRteHash;
  bool pinned = false;  // backends' MACs are configured: nobody answers for them
  net::Protocol protocol = net::Protocol::kTcp;
  bool udp_one_shot = false;
  test::Families families;
  bool kernel = false;  // both sides have a way to the kernel
};

/// As many (local, backend) pools as `flows` connections at a time need.
RigOptions room_for(uint32_t flows, FlowIndexKind flow_index);

class Rig {
 public:
  static constexpr uint16_t kBurst = 32;

  explicit Rig(const RigOptions& options);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig();

  /// Buffers for the next burst. Whole, out of line, so that where instructions are counted all
  /// that it costs is the generator's.
  [[gnu::flatten]] rte_mbuf** take(uint16_t count);
  /// What a worker does with the burst that take() gave; flush() ends the turn.
  void run(uint16_t interface, uint16_t count);
  /// A whole burst of prepared frames.
  template <class Template>
  void run(uint16_t interface, const Template& frame, const typename Template::Prepared* next) {
    rte_mbuf** buffers = take(kBurst);
    for (uint16_t i = 0; i < kBurst; ++i) frame.write(buffers[i], next[i]);
    run(interface, kBurst);
  }
  void flush();
  /// Of the same backends; it outlives the rig, or the next one that is adopted.
  void adopt(const Snapshot& snapshot);
  static Snapshot make_snapshot(const RigOptions& options);
  /// Of a rig with `kernel`; this side of it is the control thread's.
  KernelRings& door(uint16_t side) { return *doors_[side]; }

  /// Time as the worker tells it; housekeeping when a millisecond is over.
  void tick();
  /// Time stands at `now_ms`, and housekeeping is done once.
  void set_time(uint64_t now_ms);
  uint64_t now_ms() const { return core_->now_ms; }

  /// What is sent to a side is kept in part, in order, from now on; or not.
  struct Sent {
    Tuple tuple;
    uint32_t sequence;
    uint32_t tsval;  // where a SYN or a segment without SACK carries it
  };
  void record(uint16_t side, bool on) { recording_[side] = on; }
  std::vector<Sent>& sent(uint16_t side) { return sent_[side]; }

  uint64_t events(Event event) const;
  uint64_t drops() const;
  uint64_t drops(net::DropReason reason) const;
  uint64_t grants(Counter PortPool::Counters::*kind) const;
  uint32_t flow_count() const { return core_->flows.flow_count(); }

  /// Makes every flow one that is shifted or on the balancer's clock, as if its SYN had asked so.
  void alter_flows(bool rewrite, net::SeqAdjust adjust);

  bool is_v6(uint16_t side) const { return families_.is_v6(side); }

  bool pipeline = true;

  [[noreturn]] static void fail(const char* what);
  /// The same, with the reason for which most packets were dropped.
  [[noreturn]] void fail_of_drops(const char* what) const;

 private:
  static uint16_t transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count);
  void learn_all();
  void learn(net::IpAddress ip, uint16_t interface);

  test::Families families_;
  HugeMemory memory_;
  PoolMemory pool_memory_;
  rte_mempool* packets_;
  Snapshot snapshot_;
  std::unique_ptr<KernelRings> doors_[2];
  std::unique_ptr<Core> core_;
  uint64_t learnt_ms_ = 0;
  uint64_t cycles_per_ms_ = rte_get_tsc_hz() / 1000;
  rte_mbuf* burst_[kBurst];
  bool recording_[2] = {};
  std::vector<Sent> sent_[2];
};

}  // namespace sluice::bench
