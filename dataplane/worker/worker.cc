// SPDX-License-Identifier: BSD-3-Clause
// The worker's loop.
#include "dataplane/worker/worker.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_pause.h>
#include <sys/resource.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "dataplane/port/memory.h"
#include "dataplane/stage/adopt_flows.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/pipeline.h"

namespace sluice {

Worker::Worker(const WorkerSetup& setup, SnapshotCell& cell)
    : setup_(setup),
      cell_(cell),
      relay_(setup.relays, setup.id),
      memory_(std::make_unique<HugeMemory>(static_cast<int>(rte_lcore_to_socket_id(setup.lcore)))),
      pool_memory_(
          std::make_unique<PoolMemory>(static_cast<int>(rte_lcore_to_socket_id(setup.lcore)))) {
  CoreSetup core{};
  core.limits = setup.limits;
  core.secret = setup.secret;
  core.memory = memory_.get();
  core.numa_socket = static_cast<int>(rte_lcore_to_socket_id(setup.lcore));
  core.packets = setup.packets;
  core.transmit = transmit;
  core.transmit_context = this;
  core.worker = setup.id;
  core.kept = setup.kept;
  core.steering = setup.steering;
  core.rings = setup.rings;
  core.has_peers = setup.rings != nullptr;
  core.now_ms = TscClock().now_ms();
  core_ = std::make_unique<Core>(core);
  if (setup.kept.port_chunks == nullptr) {
    core_->registry.port_chunks.set_memory(pool_memory_.get());
  }
  core_->kernel_rings = setup.kernel_rings;
  core_->flow_log = setup.flow_log;
  static_cast<void>(setup.wall_clock->read(core_->wall_clock));
  for (const PortQueues& port : setup.ports) {
    relay_.set_link(port.link,
                    {port.port, port.tx_count, port.vlan, port.device_tags, port.is_bond});
    if (setup.id >= port.tx_count) core_->tx.set_relayed(port.link);
  }
  make_sources();
}

void Worker::make_sources() {
  std::map<uint16_t, std::vector<TrunkMember>> members;  // by port
  for (uint16_t i = 0; i < setup_.ports.size(); ++i) {
    if (setup_.id >= setup_.ports[i].rx_count) continue;
    members[setup_.ports[i].port].push_back({i, setup_.ports[i].link, setup_.ports[i].vlan});
  }
  for (auto& [port, of_port] : members) {
    const Trunk trunk(std::move(of_port));
    sources_.push_back({port, trunk, trunk.has_tags(), trunk.first()});
  }
}

/// A bit for each link whose port is named.
uint32_t Worker::links_on(uint32_t ports) const {
  uint32_t links = 0;
  for (const PortQueues& port : setup_.ports) {
    if ((ports >> port.port & 1) != 0) links |= 1u << port.link;
  }
  return links;
}

void Worker::set_peers(const std::vector<std::unique_ptr<Worker>>& workers) {
  for (const auto& worker : workers) {
    if (worker.get() == this) continue;
    core_->peers.push_back(worker->core_.get());
    core_->registry.peers.push_back(&worker->core_->registry);
  }
}

Worker::~Worker() {
  stop();
}

void Worker::run_on_lcore(int (*entry)(void*)) {
  const int error = rte_eal_remote_launch(entry, this, setup_.lcore);
  if (error == 0) return;
  throw std::runtime_error("worker on lcore " + std::to_string(setup_.lcore) + ": " +
                           rte_strerror(-error));
}

void Worker::adopt(std::span<const KeptSource> sources,
                   std::span<const KnownNeighbour> neighbours) {
  left_ = sources;
  neighbours_left_ = neighbours;
  run_on_lcore(adoption_entry);
}

void Worker::await_adoption() {
  rte_eal_wait_lcore(setup_.lcore);
  left_ = {};
  neighbours_left_ = {};
}

void Worker::launch() {
  stop_ = false;
  run_on_lcore(entry);
  launched_ = true;
  while (!polls()) rte_delay_us_sleep(50);  // the core may be ours as well
}

void Worker::stop() {
  if (!launched_) return;
  stop_.store(true, std::memory_order_release);
  rte_eal_wait_lcore(setup_.lcore);
  launched_ = false;
}

bool Worker::post(WorkerCall& call) {
  if (!polls()) return false;
  call_.store(&call, std::memory_order_release);
  return true;
}

bool Worker::finish() {
  while (call_.load(std::memory_order_acquire) != nullptr) {
    if (!polls()) return false;
    rte_delay_us_sleep(50);
  }
  return true;
}

uint32_t Worker::buffers_used() const {
  return rte_mempool_in_use_count(setup_.packets);
}

uint32_t Worker::buffer_count() const {
  return setup_.packets->size;
}

int Worker::entry(void* self) {
  static_cast<Worker*>(self)->loop();
  return 0;
}

void Worker::loop() {
  thread_.store(rte_gettid(), std::memory_order_relaxed);
  // Without the right to ask for it, it does without.
  constexpr int kFavoured = -20;
  if (setup_.favoured) {
    static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(rte_gettid()), kFavoured));
  }
  const TscClock clock;
  cell_.enter(setup_.id);
  uint64_t turn_began = TscClock::ticks();
  bool busy = false;
  std::optional<Idle> idle(std::in_place, setup_.idle, rx_queues());
  while (!stop_.load(std::memory_order_acquire)) {
    const uint64_t ticks = TscClock::ticks();
    core_->counters.ticks.add(ticks - turn_began);
    if (busy) core_->counters.busy_ticks.add(ticks - turn_began);
    turn_began = ticks;
    const uint64_t now_ms = clock.ms(ticks);
    const bool new_ms = now_ms != core_->now_ms;
    core_->now_ms = now_ms;
    if (new_ms) follow_wall_clock();
    follow_ports(idle);
    const Snapshot* snapshot = cell_.current();
    // A new snapshot may have the address of one that was freed: the generations tell them apart.
    if (snapshot != core_->snapshot || snapshot->network_generation != core_->network_generation ||
        snapshot->link_generation != core_->link_generation) {
      adopt_snapshot(*core_, *snapshot);
    }
    busy = poll(clock);
    busy |= take_over(clock);
    bool active = busy;
    active |= take_from_kernels();
    run_housekeeping(*core_);
    if (new_ms) relay_.serve_bonds();
    if (new_ms) flow_count_.store(core_->flows.flow_count(), std::memory_order_relaxed);
    if (WorkerCall* call = call_.load(std::memory_order_acquire)) {
      active = true;
      if (call->step(*core_)) call_.store(nullptr, std::memory_order_release);
    }
    core_->tx.flush();
    core_->handoff.flush();
    active |= relay_.forward(core_->counters);
    cell_.quiescent(setup_.id);
    if (!polling_.load(std::memory_order_relaxed)) {
      polling_.store(true, std::memory_order_release);
    }
    idle->end_turn(active, ticks);
  }
  polling_.store(false, std::memory_order_release);
  cell_.leave(setup_.id);
}

int Worker::adoption_entry(void* self) {
  auto& worker = *static_cast<Worker*>(self);
  worker.core_->now_ms = TscClock().now_ms();
  worker.follow_wall_clock();
  adopt_snapshot(*worker.core_, *worker.cell_.current());
  adopt_kept(*worker.core_, worker.left_);
  recall_neighbours(*worker.core_, worker.neighbours_left_);
  return 0;
}

void Worker::follow_wall_clock() {
  const WallClock before = core_->wall_clock;
  if (!setup_.wall_clock->read(core_->wall_clock)) return;
  core_->wall_clock.continue_from(before, core_->now_ms);
}

/// Before the quiescent state of this iteration, after which ports that are absent may be gone.
void Worker::follow_ports(std::optional<Idle>& idle) {
  const uint32_t absent = absent_.load(std::memory_order_acquire);
  if (absent == absent_now_) [[likely]]
    return;
  absent_now_ = absent;
  relay_.set_absent(links_on(absent));
  core_->tx.set_absent(links_on(absent));
  idle.reset();  // which has interrupts of their queues
  idle.emplace(setup_.idle, rx_queues());
}

bool Worker::take_from_kernels() {
  const Counter& taken = core_->counters.events[static_cast<size_t>(Event::packets_from_kernel)];
  const uint64_t before = taken.value();
  send_from_kernels(*core_);
  return taken.value() != before;
}

std::vector<RxQueue> Worker::rx_queues() const {
  std::vector<RxQueue> queues;
  for (const Source& source : sources_) {
    if ((absent_now_ >> source.port & 1) != 0) continue;
    queues.push_back({source.port, static_cast<uint16_t>(setup_.id)});
  }
  return queues;
}

uint16_t Worker::transmit(void* self, uint16_t link, rte_mbuf** packets, uint16_t count) {
  return static_cast<Worker*>(self)->relay_.transmit(link, packets, count);
}

bool Worker::poll(const TscClock& clock) {
  rte_mbuf* buffers[kBurstMax];
  bool found = false;
  const auto queue = static_cast<uint16_t>(setup_.id);
  for (const Source& source : sources_) {
    if ((absent_now_ >> source.port & 1) != 0) [[unlikely]]
      continue;
    StageClocks* const clocks = core_->stage_clocks;
    const uint64_t asked = clocks == nullptr ? 0 : TscClock::ticks();
    const uint16_t count = rte_eth_rx_burst(source.port, queue, buffers, kBurstMax);
    core_->counters.polls.add();
    if (count == 0) continue;
    found = true;
    core_->counters.bursts.count(count);
    core_->now_us = clock.now_us();
    if (source.has_tags) [[unlikely]] {
      run_trunk(source.trunk, buffers, count);
    } else if (clocks != nullptr && clocks->is_due()) [[unlikely]] {
      run_clocked(*clocks, source.interface, buffers, count, asked);
    } else {
      run_burst(*core_, source.interface, buffers, count);
    }
  }
  return found;
}

/// Each interface's frames are a burst of their own. Stages are not timed here: what a burst of one
/// VLAN takes says nothing of the others'.
void Worker::run_trunk(const Trunk& trunk, rte_mbuf** buffers, uint16_t count) {
  uint16_t owners[kBurstMax];
  for (uint16_t i = 0; i < count; ++i) owners[i] = trunk.take(buffers[i]);
  for (const TrunkMember& member : trunk.members()) {
    rte_mbuf* of_member[kBurstMax];
    uint16_t taken = 0;
    for (uint16_t i = 0; i < count; ++i) {
      if (owners[i] != member.interface) continue;
      buffers[i]->port = member.link;
      of_member[taken++] = buffers[i];
    }
    if (taken > 0) run_burst(*core_, member.interface, of_member, taken);
  }
  for (uint16_t i = 0; i < count; ++i) {
    if (owners[i] != Trunk::kNobody) continue;
    core_->counters.packets_in.add();
    core_->counters.bytes_in.add(buffers[i]->pkt_len);
    core_->tx.drop(buffers[i], net::DropReason::vlan_unknown);
  }
}

/// A burst that is timed has its transmission and an iteration's upkeep to itself.
void Worker::run_clocked(StageClocks& clocks, uint16_t interface, rte_mbuf** buffers,
                         uint16_t count, uint64_t asked) {
  clocks.note(ClockedStage::kReceive, count, TscClock::ticks() - asked);
  run_burst_clocked(*core_, interface, buffers, count, clocks);
  const uint64_t done = TscClock::ticks();
  core_->tx.flush();
  const uint64_t sent = TscClock::ticks();
  clocks.note(ClockedStage::kTransmit, count, sent - done);
  run_housekeeping(*core_);
  clocks.note(ClockedStage::kUpkeep, count, TscClock::ticks() - sent);
}

bool Worker::take_over(const TscClock& clock) {
  if (core_->handoff.worker_count() == 1) return false;
  rte_mbuf* buffers[kBurstMax];
  bool found = false;
  core_->counters.polls.add();
  for (uint32_t i = 0; i < core_->handoff.worker_count(); ++i) {
    const uint16_t count = core_->handoff.take(buffers, kBurstMax);
    if (count == 0) continue;
    found = true;
    core_->now_us = clock.now_us();
    run_taken_over(*core_, buffers, count);
  }
  return found;
}

}  // namespace sluice
