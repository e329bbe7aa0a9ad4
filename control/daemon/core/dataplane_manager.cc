// SPDX-License-Identifier: BSD-3-Clause
// Starts, changes and stops the dataplane.
#include "control/daemon/core/dataplane_manager.h"

#include <fmt/format.h>
#include <rte_lcore.h>
#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>

#include "control/common/clock.h"
#include "control/common/text.h"
#include "control/config/device_text.h"
#include "control/config/link_addresses.h"
#include "control/daemon/core/memory_plan.h"
#include "control/daemon/core/multicast_groups.h"
#include "control/daemon/core/take_over.h"
#include "control/daemon/core/tx_queue_trial.h"
#include "control/daemon/log/log.h"
#include "control/host/preflight.h"
#include "control/host/priority.h"
#include "dataplane/port/packet_pool.h"
#include "dataplane/port/port_stats.h"

namespace sluice::control {
namespace {

net::SipKey random_key() {
  net::SipKey key{};
  if (getrandom(key.data(), sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
    throw StartError("no randomness from the kernel (getrandom)");
  }
  return key;
}

int socket_of(uint32_t lcore) {
  return static_cast<int>(rte_lcore_to_socket_id(lcore));
}

}  // namespace

DataplaneManager::DataplaneManager(const Config& config)
    : config_(config),
      state_(config_, random_key()),
      wall_clock_(config.control.socket + ".clock") {
  wall_clock_.observe();
  make_packet_pools();
  ports_.start(config_, packets_);
  take_port_infos();
  try_tx_queues(config_, ports_, packets_.front());
  plan_ = choose_steering(config_, ports_, state_.steering_secret());
  rules_refused_.resize(plan_.rules.size());
  links_.resize(ports_.size());
  make_rings();
  start_workers();
  std::vector<Registry*> registries;
  for (const auto& worker : workers_) registries.push_back(&worker->registry());
  identities_ = std::make_unique<Identities>(std::move(registries), net::Random(random_key()),
                                             *plan_.steering);
  std::vector<std::string> names;
  for (size_t i = 0; i < ports_.devices().size(); ++i) {
    names.push_back(config_.interfaces[ports_.first_interface(i)].name);
  }
  keeper_ = std::make_unique<PortKeeper>(ports_.devices(), std::move(names), keeper_hooks());
  apply(config, {});
}

DataplaneManager::~DataplaneManager() {
  for (const auto& worker : workers_) worker->stop();
}

void DataplaneManager::make_packet_pools() {
  const auto ports = static_cast<uint32_t>(config_.interfaces.size());
  const uint32_t buffer = packet_buffer_bytes(config_);
  try {
    for (const uint32_t lcore : config_.eal.worker_lcores) {
      const auto worker = static_cast<uint32_t>(packets_.size());
      packets_.push_back(make_packet_pool(worker, ports, buffer, socket_of(lcore)));
    }
  } catch (const std::exception& error) {
    throw StartError(fmt::format("no memory for packets: {}; raise eal.memory_mb (now {})",
                                 dpdk_reason(error), config_.eal.memory_mb));
  }
}

void DataplaneManager::take_port_infos() {
  const std::vector<uint16_t> links = link_numbers(attachments_of(config_, ports_));
  for (size_t i = 0; i < links.size(); ++i) {
    const Port& port = ports_[i];
    port_infos_.push_back(
        {links[i], port.mac(), link_mtu_of(config_.interfaces[i], port.mtu()), 0});
  }
}

void DataplaneManager::make_rings() {
  if (packets_.size() == 1) return;
  std::vector<int> sockets;
  for (const uint32_t lcore : config_.eal.worker_lcores) sockets.push_back(socket_of(lcore));
  try {
    handoff_rings_ = std::make_unique<Rings>("handoff", sockets);
    const bool relayed = std::ranges::any_of(ports_.devices(), [&](const Port& port) {
      return port.tx_queue_count() < packets_.size();
    });
    if (relayed) relay_rings_ = std::make_unique<Rings>("relay", sockets);
  } catch (const std::runtime_error& error) {
    throw StartError(
        fmt::format("no memory for the rings between workers: {}; raise eal.memory_mb (now {})",
                    dpdk_reason(error), config_.eal.memory_mb));
  }
}

WorkerSetup DataplaneManager::worker_setup(uint32_t id) {
  WorkerSetup setup{};
  setup.id = id;
  setup.lcore = config_.eal.worker_lcores[id];
  setup.favoured = favours_worker(config_.eal, setup.lcore);
  setup.idle = config_.eal.idle;
  setup.limits = {config_.limits.flows_per_worker,     config_.limits.neighbours_per_worker,
                  config_.limits.syns_per_worker,      config_.limits.flow_index,
                  config_.limits.why_per_worker,       config_.limits.clients_per_worker,
                  ipv6_neighbours_per_worker(config_), fragment_count_max(config_)};
  setup.secret = random_key();
  setup.packets = packets_[id];
  for (size_t i = 0; i < ports_.size(); ++i) {
    const Port& port = ports_[i];
    setup.ports.push_back({port.id(), port.rx_queue_count(), port.tx_queue_count(),
                           port_infos_[i].link, vlan_of(config_.interfaces[i]), port.inserts_tags(),
                           port.is_bond()});
  }
  setup.steering = plan_.steering.get();
  setup.rings = handoff_rings_.get();
  setup.relays = relay_rings_.get();
  setup.kernel_rings = make_kernel_rings(id);
  setup.wall_clock = &wall_clock_.cell();
  setup.kept = state_.memory(id, socket_of(setup.lcore));
  setup.flow_log = flow_logs_
                       .emplace_back(std::make_unique<FlowLogRing>(fmt::format("flow-log-{}", id),
                                                                   socket_of(setup.lcore)))
                       .get();
  return setup;
}

void DataplaneManager::start_workers() {
  const auto count = static_cast<uint32_t>(config_.eal.worker_lcores.size());
  std::string problem;
  try {
    cell_ = std::make_unique<SnapshotCell>(count);
    for (uint32_t id = 0; id < count; ++id) {
      workers_.push_back(std::make_unique<Worker>(worker_setup(id), *cell_));
    }
    for (const auto& worker : workers_) worker->set_peers(workers_);
    return;
  } catch (const std::bad_alloc&) {
    problem = "no memory for the tables";
  } catch (const std::runtime_error& error) {
    problem = "no memory for the tables: " + dpdk_reason(error);
  }
  throw StartError(
      fmt::format("{}; raise eal.memory_mb (now {}) or lower limits.flows_per_worker (now {})",
                  problem, config_.eal.memory_mb, config_.limits.flows_per_worker));
}

std::array<KernelRings*, kInterfacesMax> DataplaneManager::make_kernel_rings(uint32_t worker) {
  std::array<KernelRings*, kInterfacesMax> rings{};
  auto& made = kernel_rings_.emplace_back(config_.interfaces.size());
  for (size_t i = 0; i < made.size(); ++i) {
    if (config_.interfaces[i].kernel.empty()) continue;
    made[i] = std::make_unique<KernelRings>(fmt::format("kernel-{}-{}", worker, i),
                                            static_cast<int>(rte_socket_id()));
    rings[i] = made[i].get();
  }
  return rings;
}

std::vector<KernelInterface> DataplaneManager::kernel_interfaces() const {
  std::vector<KernelInterface> interfaces;
  for (size_t i = 0; i < config_.interfaces.size(); ++i) {
    if (config_.interfaces[i].kernel.empty()) continue;
    std::vector<KernelRings*> rings;
    for (const auto& of_worker : kernel_rings_) rings.push_back(of_worker[i].get());
    interfaces.push_back({i, ports_[i].mac(), port_infos_[i].mtu.usable, std::move(rings)});
  }
  return interfaces;
}

std::vector<FlowLogRing*> DataplaneManager::flow_log_rings() const {
  std::vector<FlowLogRing*> rings;
  for (const auto& ring : flow_logs_) rings.push_back(ring.get());
  return rings;
}

void DataplaneManager::launch() {
  take_over(state_, *identities_, workers_, config_.limits.flows_per_worker, neighbours_left_);
  neighbours_left_.clear();
}

uint64_t DataplaneManager::flow_count() const {
  uint64_t count = 0;
  for (const auto& worker : workers_) count += worker->flow_count();
  return count;
}

// What flows of IPv6 clients need is made with the first VIP of theirs, and stays.
void DataplaneManager::enable_ipv6(const Config& config) {
  if (!has_ipv6_vip(config)) return;
  try {
    for (const auto& worker : workers_) worker->enable_v6();
    return;
  } catch (const std::bad_alloc&) {
  } catch (const std::runtime_error&) {
  }
  throw ApplyError(
      fmt::format("no memory for the tables of IPv6 clients; raise eal.memory_mb (now {}) or lower "
                  "limits.flows_per_worker (now {}), and restart",
                  config_.eal.memory_mb, config_.limits.flows_per_worker));
}

void DataplaneManager::apply(const Config& config, const Overrides& overrides) {
  enable_ipv6(config);
  identities_->adopt(config, steady_ms());
  state_.note(*identities_);
  config_ = config;
  access_.adopt(config);
  runtime_.overrides = overrides;
  rest_ms_ = ms_of(config.time_wait.backend_time);
  ++network_generation_;
  refill_port_memory();
  for (Port& port : ports_.devices()) port.hear(multicast_groups(config_, port.mac()));
  for (const auto& callback : on_apply_) callback(config_);
  publish();
}

void DataplaneManager::refill_port_memory() {
  const size_t bytes = (size_t{config_.limits.port_memory_mb} << 20) / workers_.size();
  try {
    for (const auto& worker : workers_) {
      worker->registry().port_chunks.refill(bytes / sizeof(PortChunk));
    }
    port_memory_failed_ = false;
  } catch (const std::bad_alloc&) {
    if (std::exchange(port_memory_failed_, true)) return;
    spdlog::error("no memory for further local ports: pools use those again that they have");
  }
}

void DataplaneManager::set_overrides(const Overrides& overrides) {
  runtime_.overrides = overrides;
  publish();
}

void DataplaneManager::set_drain(std::optional<OnRefusal> drain) {
  runtime_.drain = drain;
  publish();
}

void DataplaneManager::link_came_up(size_t interface) {
  ++port_infos_[interface].link_ups;
  publish();
}

uint64_t DataplaneManager::reset_flows(const std::vector<BackendKey>& backends) {
  ResetFlows::Backends ids;
  for (const BackendKey& key : backends) {
    const auto found = identities_->backends().find(key);
    if (found != identities_->backends().end()) ids.set(found->second.id);
  }
  return reset(ids, ResetFlows::Unanswered::kRefuse);
}

uint64_t DataplaneManager::reset_all_flows() {
  return reset(ResetFlows::Backends().set(), ResetFlows::Unanswered::kRefuse);
}

uint64_t DataplaneManager::end_flows() {
  // What relays, device queues and neighbours that have to be asked take.
  constexpr std::chrono::milliseconds kOnTheirWay{20};
  set_drain(OnRefusal::kDrop);
  const uint64_t count = reset(ResetFlows::Backends().set(), ResetFlows::Unanswered::kLetRetry);
  std::this_thread::sleep_for(kOnTheirWay);
  return count;
}

HandshakeCounts DataplaneManager::handshake_counts(const BackendKey& backend) const {
  const BackendId id = identities_->backends().at(backend).id;
  const auto sum = [&](Counter BackendState::*counter) {
    return identities_->sum(&Registry::backends, id, counter);
  };
  return {sum(&BackendState::answered), sum(&BackendState::refused),
          sum(&BackendState::unanswered)};
}

uint64_t DataplaneManager::reset(const ResetFlows::Backends& backends,
                                 ResetFlows::Unanswered unanswered) {
  std::vector<ResetFlows> calls(workers_.size(), ResetFlows(backends, unanswered));
  std::vector<bool> posted;
  for (size_t i = 0; i < workers_.size(); ++i) posted.push_back(workers_[i]->post(calls[i]));
  uint64_t count = 0;
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (posted[i] && workers_[i]->finish()) count += calls[i].reset_count();
  }
  return count;
}

void DataplaneManager::publish() {
  weights_ = control::weights_of(config_, runtime_);
  auto snapshot = build_snapshot(config_, weights_, runtime_.drain, *identities_, port_infos_,
                                 network_generation_, access_);
  std::vector<net::IpAddress> locals(snapshot->v4.locals.begin(), snapshot->v4.locals.end());
  locals.insert(locals.end(), snapshot->v6.locals.begin(), snapshot->v6.locals.end());
  for (size_t i = 0; i < plan_.rules.size(); ++i) {
    const std::string refused = plan_.rules[i].set(locals);
    // Tried again with each snapshot, but said once.
    if (refused == std::exchange(rules_refused_[i], refused) || refused.empty()) continue;
    spdlog::warn("interface {}: the device refuses the rules of {}: its packets are handed off",
                 config_.interfaces[ports_.first_interface(i)].name, refused);
  }
  take_from_kernel(*snapshot);
  cell_->publish(std::move(snapshot));
}

void DataplaneManager::keep_time() {
  wall_clock_.observe();
  state_.keep_time();
  uint64_t lead_ms = 0;
  for (const auto& [key, pool] : identities_->pools()) {
    for (const auto& worker : workers_) {
      lead_ms = std::max(lead_ms, worker->registry().pools[pool.id]->clock_lead_ms.value());
    }
  }
  const bool rewrites = std::ranges::any_of(config_.services, [](const ServiceConfig& service) {
    return service.tcp_timestamps == TimestampPolicy::kRewrite;
  });
  if (rewrites || lead_ms > 0) wall_clock_.keep(lead_ms);
}

PortKeeper::Hooks DataplaneManager::keeper_hooks() {
  return {[this](uint32_t ports) { set_absent(ports); },
          [this](const Port& port) {
            const auto i = static_cast<size_t>(&port - ports_.devices().data());
            return is_ready(config_.interfaces[ports_.first_interface(i)],
                            port.is_gone() ? 0 : port.kernel_index());
          },
          [this](size_t device) { device_came_back(device); }};
}

void DataplaneManager::set_absent(uint32_t ports) {
  for (const auto& worker : workers_) worker->set_absent(ports);
  cell_->wait_grace_period();
}

void DataplaneManager::device_came_back(size_t device) {
  if (device < plan_.rules.size()) plan_.rules[device].forget();
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (ports_.device_of(i) == device) port_came_back(i);
  }
}

// Queues are as many as before; what else a device says of itself may be new.
void DataplaneManager::port_came_back(size_t interface) {
  const Port& port = ports_[interface];
  PortInfo& info = port_infos_[interface];
  info.mac = port.mac();
  info.mtu = link_mtu_of(config_.interfaces[interface], port.mtu());
  ++network_generation_;
  link_came_up(interface);
  for (const KernelInterface& kernel : kernel_interfaces()) {
    if (kernel.index != interface) continue;
    for (const auto& callback : on_return_) callback(kernel);
  }
}

void DataplaneManager::follow_links() {
  keeper_->tick();
  bool changed = false;
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i].is_gone()) continue;
    const InterfaceConfig& interface = config_.interfaces[i];
    const LinkMtu now = link_mtu_of(interface, ports_[i].mtu());
    const LinkMtu before = std::exchange(port_infos_[i].mtu, now);
    if (now == before) continue;
    spdlog::info("interface {}: MTU {}, it was {}", interface.name, now.usable, before.usable);
    changed = true;
  }
  if (!changed) return take_from_kernel(*cell_->current());
  ++network_generation_;
  publish();
}

void DataplaneManager::sample() {
  handshakes_.sample(*identities_);
  std::vector<TxWatch::Counts> counts;
  for (size_t i = 0; i < ports_.size(); ++i) {
    const Port& port = ports_[i];
    TxWatch::Counts& count = counts.emplace_back();
    for (const auto& worker : workers_) count.accepted += worker->handed_over(port.id());
    const PortStats stats = read_port_stats(port.id());
    count.finished = stats.sent_packets + stats.tx_errors;
  }
  tx_watch_.look(counts);
}

// net_af_packet leaves every packet to the kernel as well; what that does with those of Sluice's
// addresses is harmless only as long as it forwards nothing.
void DataplaneManager::take_from_kernel(const Snapshot& snapshot) {
  std::vector<IngressDrop::Link> links;
  std::vector<std::string> forwarding;
  for (size_t i = 0; i < config_.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config_.interfaces[i];
    for (const std::string& carrier : carriers_of(interface)) {
      const auto name = kernel_interface_of(carrier);
      if (!name || !carrier.starts_with("net_af_packet")) continue;
      auto link = std::ranges::find(links, *name, &IngressDrop::Link::name);
      if (link == links.end()) link = links.insert(link, IngressDrop::Link{*name, {}});
      for (const IpPrefix& own : all_addresses(interface, port_infos_[i].mac)) {
        link->addresses.push_back(own.address);
      }
      for (const std::string& key : kernel_forwards(*name)) forwarding.push_back(key + "=0");
    }
  }
  std::vector<IpAddress> own(snapshot.v4.own_everywhere.begin(), snapshot.v4.own_everywhere.end());
  own.insert(own.end(), snapshot.v6.own_everywhere.begin(), snapshot.v6.own_everywhere.end());
  ingress_drop_.apply(std::move(links), std::move(own));
  const std::string& problem = ingress_drop_.problem();
  if (problem == std::exchange(ingress_drop_problem_, problem) || problem.empty()) return;
  const std::string what =
      fmt::format("nftables does not keep the kernel from Sluice's packets ({}): ", problem);
  if (forwarding.empty()) {
    spdlog::warn(
        "{}it must not forward: leave net.ipv4.ip_forward and net.ipv6.conf.all.forwarding at 0",
        what);
  } else if (cell_->current() == nullptr) {  // at the start
    throw StartError(
        fmt::format("{}it would forward them, too: sysctl -w {}", what, join(forwarding, " ")));
  } else {
    spdlog::error("{}it forwards them, too: sysctl -w {}", what, join(forwarding, " "));
  }
}

bool DataplaneManager::set_link(size_t interface, LinkState link) {
  const size_t device = ports_.device_of(interface);
  const PortKeeper::Absence& absence = keeper_->absence(device);
  if (!absence.reason.empty()) link = {true, false, absence.reason, absence.remedy, 0};
  if (link.up && ports_[interface].kernel_index() == 0) {
    link.changes = keeper_->link_losses(device);
  }
  const LinkState before = std::exchange(links_[interface], std::move(link));
  const LinkState& now = links_[interface];
  if (now == before) return false;
  const std::string& name = config_.interfaces[interface].name;
  if (!now.up) {
    spdlog::error("interface {}: link down: {}; {}", name, now.reason, now.remedy);
    return true;
  }
  if (!before.known) return true;
  if (before.up) {
    spdlog::warn("interface {}: the link went down and came up again", name);
  } else {
    spdlog::warn("interface {}: link up", name);
  }
  link_came_up(interface);
  return true;
}

void DataplaneManager::sweep() {
  const Identities::Finished finished = identities_->finished(steady_ms(), rest_ms_);
  if (finished.empty()) return;
  // Packets are looked up by the pools and services that the snapshot names, removed ones too: it
  // has to go before they do.
  const Identities::Forgotten forgotten = identities_->forget(finished);
  ++network_generation_;
  publish();
  identities_->free(forgotten);
}

}  // namespace sluice::control
