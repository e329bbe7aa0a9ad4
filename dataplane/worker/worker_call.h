// SPDX-License-Identifier: BSD-3-Clause
// Questions of the control thread that only the owner of a Core may answer.
//
// A worker does one bounded step of the posted call between bursts. The control thread owns the
// call, posts it, waits until it is done and reads the result; one at a time.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/net/ip_prefix.h"
#include "dataplane/stage/core.h"

namespace sluice {

class WorkerCall {
 public:
  virtual ~WorkerCall() = default;
  /// Does a bounded part of the work, without allocating; true when all is done.
  virtual bool step(Core& core) = 0;
};

/// Which flows are asked for; as it is made, all.
struct FlowFilter {
  std::optional<net::IpPrefix> client;
  std::optional<net::IpPrefix> backend;
  net::be16 client_port{};  // 0: any
  net::be16 backend_port{};
  ServiceId service = kNoId;
  std::optional<FlowState> state;
  uint32_t age_min_ms = 0;
  uint32_t age_max_ms = UINT32_MAX;

  bool operator==(const FlowFilter&) const = default;
};

/// Copies flows that a filter lets pass, from an entry on, up to a number of rows and of entries
/// looked at that are fixed beforehand.
class ListFlows : public WorkerCall {
 public:
  struct Limits {
    uint32_t first = 0;
    uint32_t entries_max = UINT32_MAX;
    size_t rows_max = 0;
  };
  struct Row {
    net::Protocol protocol;
    net::Endpoint client, vip, local, backend;
    FlowState state;
    uint32_t idle_ms;
    uint32_t age_ms;
    net::SeqAdjust adjust;
    uint64_t bytes_in;  // payload
    uint64_t bytes_out;
  };

  ListFlows(const FlowFilter& filter, const Limits& limits)
      : filter_(filter), limits_(limits), cursor_(limits.first) {
    rows_.reserve(limits.rows_max);
  }
  bool step(Core& core) override;

  const std::vector<Row>& rows() const { return rows_; }
  uint32_t flow_count() const { return flow_count_; }
  /// Of entries looked at, and where to go on; nothing when the table has been seen to its end.
  uint32_t looked_at() const { return cursor_ - limits_.first; }
  std::optional<uint32_t> next() const { return ended_ ? std::nullopt : std::optional(cursor_); }

 private:
  FlowFilter filter_;
  Limits limits_;
  std::vector<Row> rows_;
  uint32_t cursor_;
  uint32_t live_seen_ = 0;
  uint32_t flow_count_ = 0;
  bool ended_ = false;
};

/// What the port pool knows of one tuple, and what would become of a SYN on it.
class ExplainTuple : public WorkerCall {
 public:
  ExplainTuple(PoolId pool, uint16_t port, std::optional<SynNumbers> syn)
      : pool_(pool), port_(port), syn_(syn) {}
  bool step(Core& core) override;

  struct Answer {
    bool in_use;
    PriorIncarnation prior;
    uint32_t age_ms;  // since closed_ms
    ReuseRules rules;
    bool linux_takes = false;  // the SYN, as it is
    net::SeqAdjust adjust;     // an example: steps are random
  };
  const Answer& answer() const { return answer_; }

 private:
  PoolId pool_;
  uint16_t port_;
  std::optional<SynNumbers> syn_;
  Answer answer_{};
};

/// Ends the flows of some backends; TCP with a RST to both ends.
class ResetFlows : public WorkerCall {
 public:
  using Backends = std::bitset<Registry::kBackends>;  // by id
  /// What a client is told whose SYN no backend has answered: that it is refused, or nothing, so
  /// that it sends the SYN again.
  enum class Unanswered : uint8_t { kRefuse, kLetRetry };

  explicit ResetFlows(const Backends& backends, Unanswered unanswered = Unanswered::kRefuse)
      : backends_(backends), unanswered_(unanswered) {}
  bool step(Core& core) override;

  uint64_t reset_count() const { return reset_count_; }

 private:
  Backends backends_;
  Unanswered unanswered_;
  uint32_t cursor_ = 0;
  uint64_t reset_count_ = 0;
  uint64_t tx_full_before_ = UINT64_MAX;  // nothing is known yet
  uint64_t paused_ms_ = 0;                // the millisecond in which nothing more is sent
};

}  // namespace sluice
