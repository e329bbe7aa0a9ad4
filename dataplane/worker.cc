// SPDX-License-Identifier: BSD-3-Clause
// The worker's loop.
#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <sys/resource.h>

#include <chrono>
#include <stdexcept>

#include "dataplane/memory.h"
#include "dataplane/pipeline.h"

namespace sluice {
namespace {

uint16_t transmit(void* context, uint16_t port, rte_mbuf** packets, uint16_t count) {
  const auto queue = static_cast<uint16_t>(static_cast<const WorkerSetup*>(context)->id);
  return rte_eth_tx_burst(port, queue, packets, count);
}

/// Milliseconds of the TSC, monotonic. Divides once per loop turn.
class Clock {
 public:
  uint64_t now_ms() const { return rte_rdtsc() / cycles_per_ms_; }

 private:
  uint64_t cycles_per_ms_ = rte_get_tsc_hz() / 1000;
};

}  // namespace

Worker::Worker(const WorkerSetup& setup, SnapshotCell& cell)
    : setup_(setup),
      cell_(cell),
      memory_(std::make_unique<HugeMemory>(static_cast<int>(rte_lcore_to_socket_id(setup.lcore)))) {
  const std::string name = "flows-" + std::to_string(setup.id);
  CoreSetup core{};
  core.name = name.c_str();
  core.limits = setup.limits;
  core.secret = setup.secret;
  core.numa_socket = static_cast<int>(rte_lcore_to_socket_id(setup.lcore));
  core.memory = memory_.get();
  core.packets = setup.packets;
  core.transmit = transmit;
  core.transmit_context = &setup_;
  core.now_ms = Clock().now_ms();
  using std::chrono::system_clock;
  core.wall_clock_ms = static_cast<uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(system_clock::now().time_since_epoch())
          .count());
  core_ = std::make_unique<Core>(core);
}

Worker::~Worker() {
  stop();
}

void Worker::launch() {
  stop_ = false;
  const int error = rte_eal_remote_launch(entry, this, setup_.lcore);
  if (error != 0) {
    throw std::runtime_error("worker on lcore " + std::to_string(setup_.lcore) + ": " +
                             rte_strerror(-error));
  }
  launched_ = true;
  while (!polls()) rte_pause();
}

void Worker::stop() {
  if (!launched_) return;
  stop_.store(true, std::memory_order_release);
  rte_eal_wait_lcore(setup_.lcore);
  launched_ = false;
}

bool Worker::run(Errand& errand) {
  if (!polls()) return false;
  errand_.store(&errand, std::memory_order_release);
  while (errand_.load(std::memory_order_acquire) != nullptr) {
    if (!polls()) return false;
    rte_delay_us_sleep(50);
  }
  return true;
}

int Worker::entry(void* self) {
  static_cast<Worker*>(self)->loop();
  return 0;
}

void Worker::loop() {
  // The core is the worker's. Where others run on it all the same, they get what it leaves; without
  // the right to ask for that, it shares.
  constexpr int kFavoured = -20;
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(rte_gettid()), kFavoured));
  const Clock clock;
  cell_.enter(setup_.id);
  while (!stop_.load(std::memory_order_acquire)) {
    const uint64_t now_ms = clock.now_ms();
    const bool new_ms = now_ms != core_->now_ms;
    core_->now_ms = now_ms;
    const Snapshot* snapshot = cell_.current();
    if (snapshot != core_->snapshot) adopt_snapshot(*core_, *snapshot);
    poll(*snapshot);
    if (new_ms) {
      run_housekeeping(*core_);
      flow_count_.store(core_->flows.flow_count(), std::memory_order_relaxed);
    }
    if (Errand* errand = errand_.load(std::memory_order_acquire)) {
      if (errand->step(*core_)) errand_.store(nullptr, std::memory_order_release);
    }
    core_->tx.flush();
    cell_.quiescent(setup_.id);
    if (!polling_.load(std::memory_order_relaxed)) {
      polling_.store(true, std::memory_order_release);
    }
  }
  polling_.store(false, std::memory_order_release);
  cell_.leave(setup_.id);
}

void Worker::poll(const Snapshot& snapshot) {
  rte_mbuf* buffers[kBurstMax];
  const auto queue = static_cast<uint16_t>(setup_.id);
  for (uint16_t i = 0; i < snapshot.interfaces.size(); ++i) {
    const uint16_t count = rte_eth_rx_burst(snapshot.interfaces[i].port, queue, buffers, kBurstMax);
    core_->counters.polls.add();
    if (count == 0) continue;
    core_->counters.busy_polls.add();
    run_burst(*core_, i, buffers, count);
  }
}

}  // namespace sluice
