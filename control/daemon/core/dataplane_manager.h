// SPDX-License-Identifier: BSD-3-Clause
// The running dataplane as the control thread holds it: ports, workers, identities, the snapshot.
//
// Construction starts everything in order (ports, workers, first snapshot), destruction stops it in
// the opposite order. EAL runs before and after.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/access_lists.h"
#include "control/daemon/core/handshake_counts.h"
#include "control/daemon/core/handshake_latency.h"
#include "control/daemon/core/identities.h"
#include "control/daemon/core/overrides.h"
#include "control/daemon/core/port_keeper.h"
#include "control/daemon/core/ports.h"
#include "control/daemon/core/snapshot_builder.h"
#include "control/daemon/core/state_keeper.h"
#include "control/daemon/core/steering_choice.h"
#include "control/daemon/core/tx_watch.h"
#include "control/daemon/core/wall_clock_keeper.h"
#include "control/daemon/core/weights.h"
#include "control/daemon/kernel/ingress_drop.h"
#include "control/daemon/kernel/kernel_interface.h"
#include "control/daemon/kernel/link_state.h"
#include "dataplane/port/port.h"
#include "dataplane/worker/snapshot_cell.h"
#include "dataplane/worker/worker.h"

namespace sluice::control {

class DataplaneManager {
 public:
  // Throws StartError: one line, what and the remedy.
  explicit DataplaneManager(const Config& config);
  ~DataplaneManager();
  DataplaneManager(const DataplaneManager&) = delete;
  DataplaneManager& operator=(const DataplaneManager&) = delete;

  // Takes over what a process before this one has left, and the next hops that it knew; from then
  // on packets flow.
  void launch();
  void recall_neighbours(std::vector<KnownNeighbour> neighbours) {
    neighbours_left_ = std::move(neighbours);
  }
  // Puts another checked configuration into force, with the overrides that are to stand over it.
  // Throws ApplyError, having changed nothing.
  void apply(const Config& config, const Overrides& overrides);
  // The same for what operators set; the configuration stays.
  void set_overrides(const Overrides& overrides);
  // Refuses new flows, with RST or without a word; nullopt ends it.
  void set_drain(std::optional<OnRefusal> drain);
  // Resets the flows of backends at both ends, or those of all. Gives their number.
  uint64_t reset_flows(const std::vector<BackendKey>& backends);
  uint64_t reset_all_flows();
  // Before a stop: no new flow (SYNs are dropped without a word, so that clients try again), every
  // flow reset at both ends, and time for that to leave. Gives the number of flows.
  uint64_t end_flows();
  // Whether flows go on when the process ends, unless an operator wants it drained.
  bool leaves_flows() const { return keeps_flows() && !runtime_.drain; }
  bool keeps_flows() const { return state_.keeps(); }
  uint64_t flow_count() const;
  // What workers have counted of a backend's handshakes.
  HandshakeCounts handshake_counts(const BackendKey& backend) const;
  // What is believed of the backends that are checked. Whoever checks them (health_checker.h) keeps
  // it, and says when the weights have to follow.
  HealthMap& health() { return runtime_.health; }
  void health_changed() { publish(); }
  // To be called each time that an interface's link has come up: our addresses are announced there
  // again, and next hops asked whether they are the same.
  void link_came_up(size_t interface);
  // Calls back in each apply(), before the workers see the configuration.
  void on_apply(std::function<void(const Config&)> callback) {
    on_apply_.push_back(std::move(callback));
  }
  // Calls back when a port is in use again whose device was reset or gone: it may have another MAC.
  void on_return(std::function<void(const KernelInterface&)> callback) {
    on_return_.push_back(std::move(callback));
  }
  // What is found of an interface's link. Logs where it changes, and has the workers announce what
  // is ours there when it comes up. Returns whether anything changed.
  bool set_link(size_t interface, LinkState link);
  // Frees what was removed and is not used any more. To be called now and then.
  void sweep();
  // Readable when look_at_devices() is worth a call: drivers have reported something.
  int device_events() const { return keeper_->fd(); }
  void look_at_devices() { keeper_->look(); }
  // Looks whether devices are there, whether a kernel interface is another one by now, or has
  // another MTU. To be called now and then.
  void follow_links();

  // Keeps memory ready for the ports that pools will use next. To be called many times a second.
  void refill_port_memory();

  // Once a second.
  void sample();
  void keep_time();

  const Config& config() const { return config_; }
  // As it is now; the weights follow changes of health within a tenth of a second.
  const RuntimeState& runtime() const { return runtime_; }
  // As in the snapshot that is in force, of a configured service.
  const ServiceWeights& weights_of(const ServiceConfig& service) const {
    return weights_.at(key_of(service));
  }
  const HandshakeLatency& handshakes() const { return handshakes_; }
  const TxWatch& tx_watch() const { return tx_watch_; }  // by interface
  const Identities& identities() const { return *identities_; }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  const Ports& ports() const { return ports_; }
  // By interface.
  const std::vector<PortInfo>& port_infos() const { return port_infos_; }
  // What keeps the kernel from the packets of net_af_packet's interfaces.
  const IngressDrop& ingress_drop() const { return ingress_drop_; }
  const std::vector<LinkState>& links() const { return links_; }  // by interface
  // Buffers for packets that do not come from a device.
  rte_mempool* packets() const { return packets_.front(); }
  // The interfaces with a way to the kernel.
  std::vector<KernelInterface> kernel_interfaces() const;
  // Where the workers tell of flows that have ended, one each.
  std::vector<FlowLogRing*> flow_log_rings() const;
  const Steering& steering() const { return *plan_.steering; }
  // Why `auto` did not take a steering that it would rather have; may be empty.
  const std::string& passed_over() const { return plan_.passed_over; }

 private:
  uint64_t reset(const ResetFlows::Backends& backends, ResetFlows::Unanswered unanswered);
  PortKeeper::Hooks keeper_hooks();
  void set_absent(uint32_t ports);
  void device_came_back(size_t device);
  void port_came_back(size_t interface);
  void make_packet_pools();
  void take_port_infos();
  void make_rings();
  void start_workers();
  std::array<KernelRings*, kInterfacesMax> make_kernel_rings(uint32_t worker);
  WorkerSetup worker_setup(uint32_t id);
  void enable_ipv6(const Config& config);
  void publish();
  void take_from_kernel(const Snapshot& snapshot);

  Config config_;
  StateKeeper state_;  // goes after the workers
  std::vector<KnownNeighbour> neighbours_left_;
  RuntimeState runtime_;
  AccessLists access_;
  AllWeights weights_;
  std::vector<std::function<void(const Config&)>> on_apply_;
  std::vector<std::function<void(const KernelInterface&)>> on_return_;
  uint64_t network_generation_ = 0;
  uint64_t rest_ms_ = 0;               // how long a removed pool lingers after its last use
  std::vector<rte_mempool*> packets_;  // by worker
  IngressDrop ingress_drop_;           // goes after the ports
  std::string ingress_drop_problem_;   // the one that was logged last
  Ports ports_;
  std::vector<PortInfo> port_infos_;
  std::vector<LinkState> links_;
  std::vector<std::vector<std::unique_ptr<KernelRings>>> kernel_rings_;  // by worker, interface
  std::vector<std::unique_ptr<FlowLogRing>> flow_logs_;                  // by worker
  WallClockKeeper wall_clock_;
  SteeringPlan plan_;
  std::vector<std::string> rules_refused_;  // by device: what was refused last; empty: nothing
  std::unique_ptr<Rings> handoff_rings_;
  std::unique_ptr<Rings> relay_rings_;  // where a port has fewer transmit queues than workers
  std::unique_ptr<SnapshotCell> cell_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Identities> identities_;
  std::unique_ptr<PortKeeper> keeper_;
  bool port_memory_failed_ = false;  // that has been logged
  HandshakeLatency handshakes_;
  TxWatch tx_watch_;
};

}  // namespace sluice::control
