// SPDX-License-Identifier: BSD-3-Clause
// What is told of a flow when it ends, and of a SYN that got none.
//
//   worker --log_end()--> [ring] --collect()--> writer's thread --> file      control/daemon/export/flow_log_writer.h
//
// Each worker has a ring of its own, so it has one producer and one consumer, and the worker makes no
// system call. The ring is the bound: what does not fit is counted (`flow_log_dropped`). While nobody
// wants a log (Snapshot::flow_log_sample), it costs a flow one branch at its end.
#pragma once

#include <rte_ring_elem.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/net/drop_reason.h"
#include "dataplane/state/flow.h"

namespace sluice {

struct Core;

// X(name, closed_by, reason)
#define SLUICE_FLOW_ENDS(X)                       \
  X(client_fin, "client_fin", "closed")           \
  X(backend_fin, "backend_fin", "closed")         \
  X(client_rst, "client_rst", "reset")            \
  X(backend_rst, "backend_rst", "reset")          \
  X(refused, "backend_rst", "refused")            \
  X(given_up, "client_rst", "given_up")           \
  X(timed_out, "timeout", "timed_out")            \
  X(replaced, "balancer", "replaced")             \
  X(reset_by_order, "balancer", "reset_by_order") \
  X(heal_exhausted, "balancer", "heal_exhausted") \
  X(evicted, "balancer", "evicted")

/// Who ended it, and how.
enum class FlowEnd : uint8_t {
#define X(name, closed_by, reason) name,
  SLUICE_FLOW_ENDS(X)
#undef X
};

struct FlowEndText {
  std::string_view closed_by;
  std::string_view reason;
};
constexpr FlowEndText text_of(FlowEnd end) {
  constexpr FlowEndText kTexts[] = {
#define X(name, closed_by, reason) {closed_by, reason},
      SLUICE_FLOW_ENDS(X)
#undef X
  };
  return kTexts[static_cast<size_t>(end)];
}

/// Of a flow that has ended; of a SYN that was refused, its client, VIP, time and reason alone.
struct FlowRecord {
  net::Endpoint client, vip, local, backend;
  uint64_t start_ms;  // wall clock
  uint64_t end_ms;
  uint64_t bytes_in;  // payload, each byte once
  uint64_t bytes_out;
  net::Shift shift;
  FlowEnd end;
  TcpState state;  // before the end
  Grant grant;
  bool rewritten;  // timestamps on the balancer's clock
  uint8_t heals;
  uint8_t syns;  // up to 3
  bool is_refusal = false;
  net::DropReason refusal{};  // why
};

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

/// Tells of a flow that has ended; by way of note_end(), see lifecycle.h.
void log_end(Core& core, const Flow& flow, TcpState state, FlowEnd end);

/// Tells of a SYN to a service that got no flow.
void log_refusal(Core& core, net::Endpoint client, net::Endpoint vip, net::DropReason reason);

}  // namespace sluice
