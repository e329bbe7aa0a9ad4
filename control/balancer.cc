// SPDX-License-Identifier: BSD-3-Clause
// Starts, changes and stops the dataplane.
#include "control/balancer.h"

#include <fmt/format.h>
#include <rte_lcore.h>
#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>

#include "control/log.h"
#include "control/preflight.h"

namespace sluice::control {
namespace {

// Descriptors of both directions, packets that wait for a next hop, bursts and caches.
constexpr uint32_t kPacketsPerPort = 4096;
constexpr uint32_t kPacketsShared = 8192;

uint64_t now_ms() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

net::SipKey random_key() {
  net::SipKey key{};
  if (getrandom(key.data(), sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    throw StartError("no randomness from the kernel (getrandom)");
  }
  return key;
}

// The reason that DPDK gave, with what it logged about it.
std::string reason(const std::exception& error) {
  const std::string logged = last_dpdk_errors();
  return logged.empty() ? error.what() : fmt::format("{} ({})", error.what(), logged);
}

}  // namespace

Balancer::Balancer(const Config& config) : config_(config) {
  start_ports();
  start_workers();
  std::vector<Registry*> registries;
  for (const auto& worker : workers_) registries.push_back(&worker->registry());
  keeper_ = std::make_unique<StateKeeper>(std::move(registries), net::Random(random_key()));
  apply(config);
}

Balancer::~Balancer() {
  for (const auto& worker : workers_) worker->stop();
}

void Balancer::start_ports() {
  const auto socket = static_cast<int>(rte_socket_id());
  const auto count = static_cast<uint32_t>(config_.interfaces.size());
  try {
    packets_ = make_packet_pool(kPacketsShared + count * kPacketsPerPort - 1, socket);
  } catch (const std::exception& error) {
    throw StartError(fmt::format("no memory for packets: {}; raise eal.memory_mb (now {})",
                                 reason(error), config_.eal.memory_mb));
  }
  const auto queues = static_cast<uint16_t>(config_.eal.worker_lcores.size());
  ports_.reserve(count);
  for (const InterfaceConfig& interface : config_.interfaces) {
    try {
      const Port& port = ports_.emplace_back(interface.device, queues, packets_);
      port_infos_.push_back({port.id(), port.mac()});
    } catch (const std::exception& error) {
      throw StartError(fmt::format("interface {}: DPDK refuses the device \"{}\": {}",
                                   interface.name, interface.device, reason(error)));
    }
  }
}

void Balancer::start_workers() {
  const auto count = static_cast<uint32_t>(config_.eal.worker_lcores.size());
  const CoreLimits limits{config_.limits.flows_per_worker, config_.limits.neighbours_per_worker,
                          config_.limits.syns_per_worker};
  std::string problem;
  try {
    cell_ = std::make_unique<SnapshotCell>(count);
    for (uint32_t id = 0; id < count; ++id) {
      workers_.push_back(std::make_unique<Worker>(
          WorkerSetup{id, config_.eal.worker_lcores[id], limits, random_key(), packets_}, *cell_));
    }
    return;
  } catch (const std::bad_alloc&) {
    problem = "no memory for the tables";
  } catch (const std::runtime_error& error) {
    problem = "no memory for the tables: " + reason(error);
  }
  throw StartError(
      fmt::format("{}; raise eal.memory_mb (now {}) or lower limits.flows_per_worker (now {})",
                  problem, config_.eal.memory_mb, config_.limits.flows_per_worker));
}

void Balancer::launch() {
  for (const auto& worker : workers_) worker->launch();
}

void Balancer::apply(const Config& config) {
  keeper_->adopt(config, now_ms());
  config_ = config;
  rest_ms_ = config.time_wait.backend_seconds * uint64_t{1000};
  publish();
}

void Balancer::publish() {
  cell_->publish(build_snapshot(config_, *keeper_, port_infos_, ++generation_));
}

void Balancer::sweep() {
  const StateKeeper::Finished finished = keeper_->finished(now_ms(), rest_ms_);
  if (finished.empty()) return;
  // Nothing names them, so one grace period is enough; then their addresses may go as well.
  cell_->wait_grace_period();
  keeper_->free(finished);
  publish();
}

}  // namespace sluice::control
