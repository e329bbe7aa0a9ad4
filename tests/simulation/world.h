// SPDX-License-Identifier: BSD-3-Clause
// One run: a scenario, a seed, a balancer. Builds the world, lets time pass, drains it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tests/simulation/backend_host.h"
#include "tests/simulation/balancer.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/client_host.h"
#include "tests/simulation/flood.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"

namespace sluice::sim {

// Builds what is to be tested; called once a run.
using MakeBalancer =
    std::function<std::unique_ptr<Balancer>(const Scenario&, const Site&, Wire&, uint64_t seed)>;

struct Outcome {
  std::optional<Violation> violation;
  Figures figures;
  Account account;
  TimeUs virtual_time = 0;
  uint64_t digest = 0;  // of all that happened: equal for equal runs
};

class World {
 public:
  World(const Scenario& scenario, uint64_t seed, const MakeBalancer& make);

  Outcome run(uint64_t connections);
  void only_count() { checker_.only_count(); }
  void print_trace(std::FILE* file);

 private:
  void handle(const Event& event);
  void deliver_to_client(FrameView frame);
  void deliver_to_backend(FrameView frame);
  void collect(Side side, FrameId frame);
  void flush();
  bool is_fatal(uint32_t ppm);
  void kill_in(std::span<const FrameView> burst, Side side);
  void kill_idle(TimeUs now);
  uint64_t stores_until_death();
  void drain();
  void step();
  void start();
  void forge();
  TimeUs until_restart();
  void forget(ConnectionId id);
  void kill_backend();
  void intrude();
  void flood();

  const Scenario& scenario_;
  Site site_;
  Rng rng_;
  EventQueue events_;
  Connections connections_;
  Trace trace_;
  Checker checker_;
  Network network_;
  Flood flood_;
  ClientHost clients_;
  std::vector<std::unique_ptr<BackendHost>> backends_;
  std::unique_ptr<Balancer> balancer_;
  std::vector<FrameId> burst_[2];
  uint64_t to_open_ = 0;
  uint64_t digest_ = 0;
  TimeUs housekeeping_every_us_ = kMillisecond;
  bool flush_pending_ = false;
  bool flood_on_ = false;
};

}  // namespace sluice::sim
