// SPDX-License-Identifier: BSD-3-Clause
// The one pointer through which the control thread hands snapshots to workers (RCU, rte_rcu_qsbr).
//
// A worker reads the pointer at the top of its loop and reports a quiescent state at the bottom, so
// between the two the snapshot that it holds stays alive. publish() swaps the pointer and waits
// until every worker has been at the bottom once; then nobody can hold the old one.
#pragma once

#include <atomic>
#include <memory>

#include "dataplane/state/snapshot.h"

struct rte_rcu_qsbr;

namespace sluice {

class SnapshotCell {
 public:
  /// Needs a running EAL. Throws std::runtime_error.
  explicit SnapshotCell(uint32_t worker_count);
  SnapshotCell(const SnapshotCell&) = delete;
  SnapshotCell& operator=(const SnapshotCell&) = delete;
  ~SnapshotCell();

  // Control thread.
  /// Puts `next` into force and returns the one before, which no worker uses any more.
  std::unique_ptr<const Snapshot> publish(std::unique_ptr<const Snapshot> next);
  /// Waits until every worker has passed a quiescent state after this call began.
  void wait_grace_period();

  // Worker `id`, 0-based.
  void enter(uint32_t id);
  void leave(uint32_t id);
  const Snapshot* current() const { return current_.load(std::memory_order_acquire); }
  void quiescent(uint32_t id);

 private:
  std::atomic<const Snapshot*> current_ = nullptr;
  rte_rcu_qsbr* rcu_;
};

}  // namespace sluice
