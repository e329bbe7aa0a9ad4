// SPDX-License-Identifier: BSD-3-Clause
// rte_epoll, or clock_nanosleep().
#include "dataplane/worker/idle.h"

#include <rte_cycles.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sluice {
namespace {

/// Whether the queue's interrupt can be brought to this thread, and switched; some drivers
/// (net_tap) have a descriptor that needs no switching.
bool add_interrupt(const RxQueue& q) {
  if (rte_eth_dev_rx_intr_ctl_q(q.port, q.queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD,
                                nullptr) != 0) {
    return false;
  }
  const int result = rte_eth_dev_rx_intr_disable(q.port, q.queue);
  if (result == 0 || result == -ENOTSUP) return true;
  rte_eth_dev_rx_intr_ctl_q(q.port, q.queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, nullptr);
  return false;
}

void remove_interrupt(const RxQueue& q) {
  rte_eth_dev_rx_intr_ctl_q(q.port, q.queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, nullptr);
}

}  // namespace

Idle::Idle(IdleMode mode, std::vector<RxQueue> queues)
    : mode_(mode), queues_(std::move(queues)), idle_after_ticks_(rte_get_tsc_hz() / 1000) {
  if (mode_ == IdleMode::kPoll) return;
  prctl(PR_SET_TIMERSLACK, 1000UL);  // nanoseconds; 50 microseconds by default
  size_t added = 0;
  while (added < queues_.size() && add_interrupt(queues_[added])) ++added;
  interrupts_ = !queues_.empty() && added == queues_.size();
  if (interrupts_) return;
  for (size_t i = 0; i < added; ++i) remove_interrupt(queues_[i]);
}

Idle::~Idle() {
  if (!interrupts_) return;
  set_armed(false);
  for (const RxQueue& q : queues_) remove_interrupt(q);
}

void Idle::set_armed(bool armed) {
  if (armed_ == armed) return;
  armed_ = armed;
  for (const RxQueue& q : queues_) {
    if (armed) {
      rte_eth_dev_rx_intr_enable(q.port, q.queue);
    } else {
      rte_eth_dev_rx_intr_disable(q.port, q.queue);
    }
  }
}

void Idle::wake() {
  resting_ = false;
  nap_us_ = kNapMinUs;
  if (interrupts_) set_armed(false);
}

void Idle::rest() {
  resting_ = true;
  if (!interrupts_) {
    const timespec nap{0, static_cast<long>(nap_us_) * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, nullptr);
    nap_us_ = std::min(2 * nap_us_, kNapMaxUs);
    return;
  }
  // What came before they were armed raises none: the queues are looked at once more.
  if (!armed_) return set_armed(true);
  rte_epoll_event event;
  constexpr int kWaitMs = 1;
  if (rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, kWaitMs) > 0) set_armed(false);
}

}  // namespace sluice
