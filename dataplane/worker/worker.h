// SPDX-License-Identifier: BSD-3-Clause
// A poll-mode worker: rx, pipeline, tx, and housekeeping between bursts, on an lcore of its own.
#pragma once

#include <rte_mempool.h>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/port/trunk.h"
#include "dataplane/port/tsc_clock.h"
#include "dataplane/port/tx_relay.h"
#include "dataplane/stage/core.h"
#include "dataplane/stage/kept_neighbours.h"
#include "dataplane/state/kept_source.h"
#include "dataplane/worker/idle.h"
#include "dataplane/worker/snapshot_cell.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

/// Of one interface; the first workers have the queues. Interfaces in VLANs may share a port.
struct PortQueues {
  uint16_t port;
  uint16_t rx_count;
  uint16_t tx_count;
  uint16_t link;  // InterfaceView::port
  net::VlanIds vlan = {};
  bool device_tags = false;  // the port puts a tag in itself
  bool is_bond = false;      // Port::is_bond()
};

struct WorkerSetup {
  uint32_t id;     // 0-based; thread id towards the SnapshotCell, queue id towards ports
  unsigned lcore;  // must not be the main lcore
  bool favoured;   // whether its thread asks for the highest priority
  IdleMode idle;
  CoreLimits limits;
  net::SipKey secret;
  rte_mempool* packets;
  std::vector<PortQueues> ports;  // by interface
  const Steering* steering;
  const Rings* rings;   // to hand packets off; nullptr when the worker is alone
  const Rings* relays;  // to transmit; nullptr when every port has a queue for every worker
  std::array<KernelRings*, kInterfacesMax> kernel_rings{};
  FlowLogRing* flow_log = nullptr;
  const WallClockCell* wall_clock;
  KeptMemory kept{};  // what outlives the process; nullptr: nothing does
};

class Worker {
 public:
  /// Allocates everything the worker will ever use. Throws std::runtime_error or std::bad_alloc.
  Worker(const WorkerSetup& setup, SnapshotCell& cell);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Control thread.
  /// Makes what flows of IPv6 clients need, before the first snapshot with a VIP of theirs is
  /// published. Throws as the constructor does; a second call does nothing.
  void enable_v6() { core_->flows.enable_v6(); }
  /// Of all workers, this one included; before any is launched.
  void set_peers(const std::vector<std::unique_ptr<Worker>>& workers);
  /// Has it begin to take over what the process before has left, on its lcore and before it polls;
  /// a snapshot must have been published. What the arguments name outlives await_adoption(). Throws
  /// std::runtime_error.
  void adopt(std::span<const KeptSource> sources, std::span<const KnownNeighbour> neighbours);
  void await_adoption();
  /// Starts polling; a snapshot must have been published. Throws std::runtime_error.
  void launch();
  /// Asks the loop to end and waits for it. Idempotent.
  void stop();
  /// Has the worker do a call and waits for it; false when the worker does not run.
  bool run(WorkerCall& call) { return post(call) && finish(); }
  /// The two halves of it, so that several workers can be at it at once.
  bool post(WorkerCall& call);
  bool finish();
  bool polls() const { return polling_.load(std::memory_order_acquire); }
  /// Ports that it must let go of, a bit for each. Nothing of them is in use once every worker has
  /// passed a quiescent state (SnapshotCell::wait_grace_period).
  void set_absent(uint32_t ports) { absent_.store(ports, std::memory_order_release); }
  unsigned lcore() const { return setup_.lcore; }
  /// The kernel's number of its thread; 0 before the launch.
  int thread() const { return thread_.load(std::memory_order_relaxed); }
  /// Packets that a device's queues have taken from this worker.
  uint64_t handed_over(uint16_t port) const { return relay_.handed_over(port); }

  const WorkerCounters& counters() const { return core_->counters; }
  /// Of a worker that does not run yet.
  WorkerCounters& counters_before_launch() { return core_->counters; }
  /// Entries are the control thread's to make and to free, by the rules of Registry.
  Registry& registry() { return core_->registry; }
  /// Flow entries in use now; a snapshot of a number that moves.
  uint32_t flow_count() const { return flow_count_.load(std::memory_order_relaxed); }
  const ClientTable& clients() const { return core_->clients; }
  /// Sources that were refused for the n-th reason of a guard.
  const RefusedSources& refused_sources(size_t n) const { return core_->refused_sources[n]; }
  /// Of the worker's clock: what records in 32 bits are ages by.
  uint64_t now_ms() const { return TscClock().now_ms(); }
  /// Records that `why` can tell of.
  uint64_t why_kept() const { return core_->why.kept(); }
  uint32_t flow_count_max() const { return core_->flows.flow_count_max(); }
  /// Packet buffers of this worker's pool in use now, wherever they are; and all of them.
  uint32_t buffers_used() const;
  uint32_t buffer_count() const;

 private:
  static int entry(void* self);
  static uint16_t transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count);
  void loop();
  static int adoption_entry(void* self);
  void run_on_lcore(int (*entry)(void*));
  void follow_wall_clock();
  void follow_ports(std::optional<Idle>& idle);
  /// A port that this worker asks for packets, and whose they are.
  struct Source {
    uint16_t port;
    Trunk trunk;
    bool has_tags;
    uint16_t interface;  // of all of them, without tags
  };
  void make_sources();
  std::vector<RxQueue> rx_queues() const;
  uint32_t links_on(uint32_t ports) const;
  // All of them return whether there were packets.
  bool poll(const TscClock& clock);
  bool take_over(const TscClock& clock);
  void run_clocked(StageClocks& clocks, uint16_t interface, rte_mbuf** buffers, uint16_t count,
                   uint64_t asked);
  void run_trunk(const Trunk& trunk, rte_mbuf** buffers, uint16_t count);
  bool take_from_kernels();

  WorkerSetup setup_;
  SnapshotCell& cell_;
  std::span<const KeptSource> left_;
  std::span<const KnownNeighbour> neighbours_left_;
  TxRelay relay_;
  std::vector<Source> sources_;
  std::unique_ptr<std::pmr::memory_resource> memory_;
  std::unique_ptr<std::pmr::memory_resource> pool_memory_;
  std::unique_ptr<Core> core_;
  std::atomic<WorkerCall*> call_ = nullptr;
  std::atomic<bool> stop_ = false;
  std::atomic<int> thread_ = 0;
  std::atomic<bool> polling_ = false;
  std::atomic<uint32_t> flow_count_ = 0;
  std::atomic<uint32_t> absent_ = 0;
  uint32_t absent_now_ = 0;  // the worker's own
  bool launched_ = false;
};

}  // namespace sluice
