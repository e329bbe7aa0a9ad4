// SPDX-License-Identifier: BSD-3-Clause
// Where a worker's packets came from and what became of them: both sums are the same.
//
//   received + from the kernel + made by ourselves + taken over from other workers
//     = sent + dropped + consumed + to the kernel + given to other workers + waiting
//
// A datagram that is put together is made by ourselves, and its fragments are consumed; those that
// wait for others wait, as does what waits for a MAC.
// It holds exactly between two bursts, when nothing is queued for a device or a worker any more.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/worker/worker_call.h"

namespace sluice {

struct PacketBalance {
  uint64_t received = 0;
  uint64_t made = 0;
  uint64_t from_kernel = 0;
  uint64_t taken_over = 0;  // handed over or relayed by other workers
  uint64_t sent = 0;
  uint64_t dropped = 0;
  uint64_t consumed = 0;
  uint64_t to_kernel = 0;
  uint64_t handed_on = 0;
  uint64_t waiting = 0;

  /// 0, unless a packet was lost or counted twice.
  int64_t unaccounted() const {
    return static_cast<int64_t>(received + made + from_kernel + taken_over - sent - dropped -
                                consumed - to_kernel - handed_on - waiting);
  }
  PacketBalance& operator+=(const PacketBalance& other);
};

PacketBalance balance_of(const WorkerCounters& counters);

/// Asks a worker between two bursts.
class CountPackets : public WorkerCall {
 public:
  bool step(Core& core) override;
  const PacketBalance& balance() const { return balance_; }

 private:
  PacketBalance balance_;
};

}  // namespace sluice
