// SPDX-License-Identifier: BSD-3-Clause
// The running dataplane as the control thread holds it: ports, workers, identities, the snapshot.
//
// Construction starts everything in order (ports, workers, first snapshot), destruction stops it in
// the opposite order. EAL runs before and after.
#pragma once

#include <memory>
#include <vector>

#include "control/config.h"
#include "control/snapshot_builder.h"
#include "control/state_keeper.h"
#include "dataplane/port.h"
#include "dataplane/snapshot_cell.h"
#include "dataplane/worker.h"

namespace sluice::control {

class Balancer {
 public:
  // Throws StartError: one line, what and how to mend it.
  explicit Balancer(const Config& config);
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  // From here on packets flow.
  void launch();
  // Puts another checked configuration into force. Throws ApplyError, having changed nothing.
  void apply(const Config& config);
  // Frees what was removed and is not used any more. To be called now and then.
  void sweep();

  const Config& config() const { return config_; }
  const StateKeeper& keeper() const { return *keeper_; }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  const std::vector<Port>& ports() const { return ports_; }

 private:
  void start_ports();
  void start_workers();
  void publish();

  Config config_;
  uint64_t generation_ = 0;
  uint64_t rest_ms_ = 0;  // how long a removed pool lingers after its last use
  rte_mempool* packets_ = nullptr;
  std::vector<Port> ports_;
  std::vector<PortInfo> port_infos_;
  std::unique_ptr<SnapshotCell> cell_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<StateKeeper> keeper_;
};

}  // namespace sluice::control
