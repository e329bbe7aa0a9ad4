// SPDX-License-Identifier: BSD-3-Clause
// Questions of the control thread that only the owner of a Core may answer.
//
// A worker does one bounded step of the posted errand between bursts. The control thread owns the
// errand, posts it, waits until it is done and reads the result; one at a time.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/core.h"

namespace sluice {

class Errand {
 public:
  virtual ~Errand() = default;
  /// Does a bounded part of the work, without allocating; true when all is done.
  virtual bool step(Core& core) = 0;
};

/// Copies flows, newest state, up to a number that is fixed beforehand.
class ListFlows : public Errand {
 public:
  struct Row {
    net::Endpoint client, vip, local, backend;
    TcpState state;
    uint32_t idle_ms;
    uint32_t age_ms;
    net::Shift shift;
    uint64_t bytes_in;  // payload
    uint64_t bytes_out;
  };

  explicit ListFlows(size_t count_max) { rows_.reserve(count_max); }
  bool step(Core& core) override;

  const std::vector<Row>& rows() const { return rows_; }
  uint32_t flow_count() const { return flow_count_; }

 private:
  std::vector<Row> rows_;
  uint32_t cursor_ = 0;
  uint32_t flow_count_ = 0;
};

/// What the ledger knows of one tuple, and what would become of a SYN on it.
class ExplainTuple : public Errand {
 public:
  ExplainTuple(PoolId pool, uint16_t port, std::optional<SynNumbers> syn)
      : pool_(pool), port_(port), syn_(syn) {}
  bool step(Core& core) override;

  struct Answer {
    bool in_use;
    Legacy legacy;
    uint32_t age_ms;  // since closed_ms
    ReuseRules rules;
    bool linux_takes = false;  // the SYN, as it is
    net::Shift shift;          // an example: steps are random
  };
  const Answer& answer() const { return answer_; }

 private:
  PoolId pool_;
  uint16_t port_;
  std::optional<SynNumbers> syn_;
  Answer answer_{};
};

/// Ends the flows of some backends with a RST to both ends.
class ResetFlows : public Errand {
 public:
  using Backends = std::bitset<Registry::kBackends>;  // by id
  /// What a client is told whose SYN no backend has answered: that it is refused, or nothing, so that
  /// it sends the SYN again.
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
