// SPDX-License-Identifier: BSD-3-Clause
// A worker's fragments, on their way to being datagrams: kept by rte_ip_frag, judged by a
// FragmentTracker.
//
// What rte_ip_frag lacks is done here: overlaps, duplicates and floods have names; where there is
// no room the datagram that was begun first makes way, so that in a flood of fragments those that
// come one right behind the other still meet; and a datagram leaves in one buffer, as every stage
// reads packets. Whatever fits has a buffer of the worker's packets, the rest one of a small pool
// of large ones.
#pragma once

#include <rte_ip_frag.h>
#include <rte_mbuf.h>

#include <memory>
#include <memory_resource>

#include "dataplane/net/fragment_view.h"
#include "dataplane/net/verdict.h"
#include "dataplane/port/tx.h"
#include "dataplane/state/counters.h"
#include "dataplane/state/fragment_tracker.h"

namespace sluice {

struct ReassemblySetup {
  uint32_t worker;
  uint32_t fragment_count_max;  // at least 1
  rte_mempool* packets;
  int numa_socket;
  uint64_t factor;  // an odd secret
  std::pmr::memory_resource* memory;
};

class Reassembly {
 public:
  static constexpr uint32_t kDatagrams = 127;  // that are larger than a packet buffer, at once
  // What a worker takes of fragments, its own and those it hands on: a bucket of so many, filled at
  // so many a millisecond. Beyond that they would be in the way of what is whole.
  static constexpr uint32_t kFragmentsBurst = 1'024;
  static constexpr uint32_t kFragmentsPerMs = 256;

  /// Throws std::runtime_error or std::bad_alloc.
  Reassembly(const ReassemblySetup& setup, WorkerCounters& counters);
  ~Reassembly();
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  /// Whether another fragment may be looked at now.
  bool may_take(uint64_t now_ms);
  /// Takes a fragment without fault whose headers are `packet`'s. One that is not to be kept stays
  /// the caller's, and the verdict is why. `whole` is the datagram, where the fragment makes it so.
  net::Verdict add(rte_mbuf* fragment, const net::Packet& packet, const net::FragmentView& view,
                   uint64_t now_ms, rte_mbuf*& whole);
  /// Drops what has waited for too long.
  void expire(uint64_t now_ms);

  /// Bytes that it takes of DPDK's memory.
  static uint64_t bytes(uint32_t fragment_count_max, uint32_t buffer_bytes);

 private:
  struct FreeTable {
    void operator()(rte_ip_frag_tbl* table) const { rte_ip_frag_table_destroy(table); }
  };
  struct FreePool {
    void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
  };

  void make_room();
  void drop_until(uint64_t stamp, net::DropReason reason);
  void drop_dead(net::DropReason reason);
  rte_mbuf* keep(rte_mbuf* fragment, const net::Packet& packet, const net::FragmentView& view,
                 uint64_t stamp);
  rte_mbuf* in_one_buffer(rte_mbuf* chain, uint16_t header_length, uint16_t largest);
  rte_mbuf* allocate(uint32_t length);

  rte_mempool* packets_;
  WorkerCounters& counters_;
  FragmentTracker tracker_;
  std::unique_ptr<rte_ip_frag_tbl, FreeTable> table_;
  std::unique_ptr<rte_mempool, FreePool> datagrams_;
  rte_ip_frag_death_row dead_{};
  uint64_t expired_ms_ = 0;
  uint64_t filled_ms_ = 0;
  uint32_t tokens_ = kFragmentsBurst;
};

}  // namespace sluice
