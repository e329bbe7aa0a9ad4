// SPDX-License-Identifier: BSD-3-Clause
// Packets from the worker that received them to the worker they belong to.
//
// One ring from each worker to each other, so that an end has one writer: nothing is locked and
// nobody waits for anybody, even one that lost its CPU in the middle. Packets are collected for
// each destination while a burst runs and go out at its end; what a full ring does not take is
// dropped as `handoff_full`. What was taken over is never handed on.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/tx.h"
#include "dataplane/state/counters.h"

namespace sluice {

/// The rings between all workers; outlives their cores.
class Rings {
 public:
  static constexpr unsigned kPackets = 2048;

  /// `name` is unique in the process. A ring lies on the socket of the worker that reads it:
  /// `numa_sockets` is by worker. Throws std::runtime_error.
  Rings(const std::string& name, const std::vector<int>& numa_sockets);
  ~Rings();

  rte_ring* between(uint32_t from, uint32_t to) const {
    return rings_[from * worker_count_ + to].get();
  }
  uint32_t worker_count() const { return worker_count_; }

 private:
  struct Free {
    void operator()(rte_ring* ring) const { rte_ring_free(ring); }
  };
  uint32_t worker_count_;
  std::vector<std::unique_ptr<rte_ring, Free>> rings_;  // nullptr from a worker to itself
};

/// One worker's end of the rings.
class Handoff {
 public:
  /// `rings` may be nullptr: a worker that is alone.
  Handoff(const Rings* rings, uint32_t self, WorkerCounters& counters);

  /// Queues a packet that came in on `port` for another worker, which owns it from then on.
  void give(uint32_t worker, uint16_t port, rte_mbuf* packet);
  void flush();

  /// Fills `packets` with what another worker gave; 0 when there is none. Asks one ring a call, in
  /// turn; as many calls as there are workers see all of them.
  uint16_t take(rte_mbuf** packets, uint16_t count_max);
  uint32_t worker_count() const { return static_cast<uint32_t>(buffers_.size()); }

 private:
  void flush(uint32_t worker);

  const Rings* rings_;
  uint32_t self_;
  uint32_t turn_ = 0;
  WorkerCounters& counters_;
  std::vector<PacketBuffer> buffers_;
};

}  // namespace sluice
