// SPDX-License-Identifier: BSD-3-Clause
// Records of ended flows, from a worker to the writer of the flow log.
//
//   worker --give()--> [ring] --collect()--> writer's thread --> file
//
// The writer is control/daemon/export/flow_log_writer.h.
//
// Each worker has a ring of its own, so it has one producer and one consumer, and the worker makes
// no system call. The ring is the bound: what does not fit is counted (`flow_log_dropped`).
#pragma once

#include <rte_ring_elem.h>

#include <cstdint>
#include <string>

#include "dataplane/state/flow_record.h"

namespace sluice {

class FlowLogRing {
 public:
  // rte_ring has one slot more, and rounds up to a power of two.
  static constexpr unsigned kRecordsMax = 8191;
  static constexpr uint64_t bytes() { return (kRecordsMax + 1) * sizeof(FlowRecord); }

  /// `name` is unique in the process. Throws std::runtime_error when there is no memory.
  FlowLogRing(const std::string& name, int numa_socket);
  FlowLogRing(const FlowLogRing&) = delete;
  FlowLogRing& operator=(const FlowLogRing&) = delete;
  ~FlowLogRing() { rte_ring_free(ring_); }

  // Worker.
  /// Whether this flow is the one of `sample` that is told of.
  bool wants(uint32_t sample) { return ++seen_ % sample == 0; }
  /// The same for a refused SYN; of a flood, no more than so many a second.
  static constexpr uint32_t kRefusalsPerSecond = 100;
  bool wants_refusal(uint32_t sample, uint64_t now_ms) {
    if (now_ms / 1000 != refusal_second_) {
      refusal_second_ = now_ms / 1000;
      refusals_ = 0;
    }
    return ++refusals_seen_ % sample == 0 && ++refusals_ <= kRefusalsPerSecond;
  }
  bool give(const FlowRecord& record) {
    return rte_ring_sp_enqueue_elem(ring_, const_cast<FlowRecord*>(&record), kSize) == 0;
  }

  // Writer.
  unsigned collect(FlowRecord* records, unsigned count_max) {
    return rte_ring_sc_dequeue_burst_elem(ring_, records, kSize, count_max, nullptr);
  }

 private:
  static constexpr unsigned kSize = sizeof(FlowRecord);
  static_assert(kSize % 4 == 0);

  rte_ring* ring_;
  uint32_t seen_ = 0;
  uint32_t refusals_seen_ = 0;
  uint32_t refusals_ = 0;  // that were wanted, of this second
  uint64_t refusal_second_ = 0;
};

}  // namespace sluice
