// SPDX-License-Identifier: BSD-3-Clause
// RCU around the snapshot pointer.
#include "dataplane/worker/snapshot_cell.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <stdexcept>

namespace sluice {

SnapshotCell::SnapshotCell(uint32_t worker_count)
    : rcu_(static_cast<rte_rcu_qsbr*>(
          rte_zmalloc("sluice-rcu", rte_rcu_qsbr_get_memsize(worker_count), RTE_CACHE_LINE_SIZE))) {
  if (rcu_ == nullptr || rte_rcu_qsbr_init(rcu_, worker_count) != 0) {
    throw std::runtime_error("no memory for RCU state");
  }
}

SnapshotCell::~SnapshotCell() {
  delete current_.load();
  rte_free(rcu_);
}

std::unique_ptr<const Snapshot> SnapshotCell::publish(std::unique_ptr<const Snapshot> next) {
  std::unique_ptr<const Snapshot> old(current_.exchange(next.release(), std::memory_order_acq_rel));
  wait_grace_period();
  return old;
}

void SnapshotCell::wait_grace_period() {
  rte_rcu_qsbr_synchronize(rcu_, RTE_QSBR_THRID_INVALID);
}

void SnapshotCell::enter(uint32_t id) {
  rte_rcu_qsbr_thread_register(rcu_, id);
  rte_rcu_qsbr_thread_online(rcu_, id);
}

void SnapshotCell::leave(uint32_t id) {
  rte_rcu_qsbr_thread_offline(rcu_, id);
  rte_rcu_qsbr_thread_unregister(rcu_, id);
}

void SnapshotCell::quiescent(uint32_t id) {
  rte_rcu_qsbr_quiescent(rcu_, id);
}

}  // namespace sluice
