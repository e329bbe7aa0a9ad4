// SPDX-License-Identifier: BSD-3-Clause
// Builds a Snapshot, one part after the other. Pure: the same input gives the same snapshot.
// Addresses become the dataplane's here.
#include "control/daemon/core/snapshot_builder.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "control/common/clock.h"
#include "control/config/link_addresses.h"
#include "control/config/route_lookup.h"
#include "dataplane/state/scheduler.h"

namespace sluice::control {
namespace {

void add_addresses(InterfaceView& view, const InterfaceConfig& interface) {
  for (const IpPrefix& own : all_addresses(interface, view.mac)) {
    if (own.address.is_v4()) {
      view.v4.own.push_back(own.v4());
    } else {
      view.v6.own.push_back(own.v6());
    }
  }
  for (const NeighbourConfig& pinned : interface.neighbours) {
    if (pinned.ip.is_v4()) {
      view.v4.pinned.push_back({pinned.ip.v4(), pinned.mac});
    } else {
      view.v6.pinned.push_back({pinned.ip.v6(), pinned.mac});
    }
  }
}

void add_interfaces(Snapshot& snapshot, const Config& config, const std::vector<PortInfo>& ports) {
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config.interfaces[i];
    InterfaceView view{interface.name, ports[i].link, ports[i].mac, {}, {}, ports[i].mtu.usable};
    add_addresses(view, interface);
    view.link_ups = ports[i].link_ups;
    view.unmatched = interface.unmatched;
    snapshot.interfaces.push_back(std::move(view));
    if (snapshot.interface_of_port.size() <= ports[i].link) {
      snapshot.interface_of_port.resize(ports[i].link + size_t{1}, kNoId);
    }
    snapshot.interface_of_port[ports[i].link] = static_cast<uint16_t>(i);
  }
}

void add_routes(Snapshot& snapshot, const Config& config) {
  for (const ResolvedRoute& route : resolve_routes(config)) {
    const auto interface = static_cast<uint16_t>(route.result.interface);
    if (route.to.address.is_v4()) {
      const net::Ipv4Address via = route.via ? route.via->v4() : net::Ipv4Address{};
      snapshot.v4.routes.push_back({route.to.v4(), via, interface, route.result.source.v4()});
    } else {
      const net::Ipv6Address via = route.via ? route.via->v6() : net::Ipv6Address{};
      snapshot.v6.routes.push_back({route.to.v6(), via, interface, route.result.source.v6()});
    }
  }
}

BackendView view_of(const BackendConfig& backend, const ServiceConfig& service,
                    const LocalPoolConfig& locals, uint32_t weight, const Identities& identities) {
  const BackendKey key = key_of(service, backend);
  BackendView view{identities.backends().at(key).id, backend.address, weight, {}};
  view.max_connections = backend.max_connections;
  for (const IpAddress& local : locals.addresses) {
    view.paths.push_back(identities.paths().at({key, local}).id);
  }
  return view;
}

QuicView quic_of(const ServiceConfig& service) {
  QuicView quic;
  if (!service.quic) return quic;
  quic.layout = {static_cast<uint8_t>(service.quic_config_id),
                 static_cast<uint8_t>(service.backends.front().quic_server_id.size())};
  for (size_t i = 0; i < service.backends.size(); ++i) {
    uint64_t id = 0;
    for (const char byte : service.backends[i].quic_server_id) {
      id = id << 8 | static_cast<uint8_t>(byte);
    }
    quic.servers.push_back({id, static_cast<uint16_t>(i)});
  }
  std::ranges::sort(quic.servers);
  return quic;
}

GuardView guard_of(const ServiceConfig& service, const AccessLists& access) {
  const GuardConfig& guard = service.guard;
  return {.max_connections = guard.max_connections,
          .max_new_per_second = guard.max_new_per_second,
          .client_connections = guard.client_connections,
          .client_new_per_second = guard.client_new_per_second,
          .client_bits_v4 = static_cast<uint8_t>(guard.client_prefix_v4),
          .client_bits_v6 = static_cast<uint8_t>(guard.client_prefix_v6),
          .waits_for_backends = guard.backends_full == BackendsFull::kWait,
          .access = access.of(service)};
}

void add_services(Snapshot& snapshot, const Config& config, const AllWeights& all_weights,
                  std::optional<OnRefusal> drain, const Identities& identities, bool different_mtus,
                  const AccessLists& access) {
  snapshot.draining = drain.has_value();
  for (const ServiceConfig& service : config.services) {
    const std::vector<uint32_t>& weights = all_weights.at(key_of(service)).weights;
    ServiceView view{};
    view.id = identities.services().at(key_of(service)).id;
    view.name = service.name;
    view.protocol = service.protocol;
    view.vip = service.vip;
    view.scheduler = service.scheduler;
    view.on_refusal = drain.value_or(service.on_refusal);
    view.reset_on_timeout = service.reset_on_timeout;
    view.udp_idle_ms = ms_of(service.udp_idle);
    view.udp_one_shot = service.udp_one_shot;
    view.udp_refresh_both = service.udp_refresh == UdpRefresh::kBoth;
    view.mss_clamp = service.mss_clamp.value_or(different_mtus);
    snapshot.mss_clamp |= view.mss_clamp;
    view.icmp_echo = service.icmp_echo;
    view.rewrite_timestamps = service.tcp_timestamps == TimestampPolicy::kRewrite;
    for (size_t i = 0; i < weights.size(); ++i) {
      view.backends.push_back(view_of(service.backends[i], service, local_pool_of(config, service),
                                      weights[i], identities));
    }
    view.quic = quic_of(service);
    view.guard = guard_of(service, access);
    view.toa = service.toa;
    view.syn_cookies = service.guard.syn_cookies;
    view.proxy_form = identities.proxy_form_of(service);
    prepare_scheduler(view);
    snapshot.services.push_back(std::move(view));
  }
}

// Services that have a backend in common share its ports.
void count_sharers(Snapshot& snapshot, const Identities& identities) {
  std::vector<PoolId> pool_of;  // by path
  for (const auto& [key, path] : identities.paths()) {
    if (path.id >= pool_of.size()) pool_of.resize(path.id + size_t{1}, kNoPool);
    pool_of[path.id] = path.pool;
  }
  std::unordered_map<PoolId, uint32_t> services_of;
  for (const ServiceView& service : snapshot.services) {
    for (const BackendView& backend : service.backends) {
      for (const PathId path : backend.paths) ++services_of[pool_of[path]];
    }
  }
  for (ServiceView& service : snapshot.services) {
    for (BackendView& backend : service.backends) {
      backend.sharers = 1;
      for (const PathId path : backend.paths) {
        backend.sharers = std::max(backend.sharers, services_of[pool_of[path]]);
      }
    }
  }
}

// With what was removed and lingers: its packets must still find their way.
void add_identities(Snapshot& snapshot, const Identities& identities) {
  for (const auto& [key, service] : identities.services()) {
    if (!service.removed) continue;
    snapshot.removed_services.push_back({service.id, key.protocol, key.vip});
  }
  for (const auto& [key, pool] : identities.pools()) {
    snapshot.pools.push_back({pool.id, key.protocol, key.local, key.backend});
  }
}

void add_own_addresses(Snapshot& snapshot, const Config& config, const Identities& identities) {
  for (const auto& [key, service] : identities.services()) {
    snapshot.add_own_everywhere(key.vip.ip);
  }
  for (const auto& [key, pool] : identities.pools()) snapshot.add_local(key.local);
  for (const LocalPoolConfig& pool : config.local_pools) {
    for (const IpAddress& local : pool.addresses) snapshot.add_local(local);
  }
}

constexpr TcpTimeouts timeouts_of(const TcpTimeoutsConfig& timeouts) {
  TcpTimeouts ms{};
  auto set = [&ms](FlowState state, std::chrono::seconds value) {
    ms[static_cast<size_t>(state)] = ms_of(value);
  };
  set(FlowState::kSynSent, timeouts.syn_sent);
  set(FlowState::kSynReceived, timeouts.syn_received);
  set(FlowState::kEstablished, timeouts.established);
  set(FlowState::kClientClosed, timeouts.half_closed);
  set(FlowState::kBackendClosed, timeouts.half_closed);
  set(FlowState::kClientFirst, timeouts.closing);
  set(FlowState::kBackendFirst, timeouts.closing);
  set(FlowState::kClosed, timeouts.closed);
  set(FlowState::kTimeWait, timeouts.closed);
  return ms;
}
static_assert(timeouts_of({}) == kDefaultTcpTimeouts, "the defaults are the dataplane's own");

bool have_different_mtus(const std::vector<PortInfo>& ports) {
  std::vector<LinkMtu> mtus;
  for (const PortInfo& port : ports) mtus.push_back(port.mtu);
  return mtus_differ(mtus);
}

}  // namespace

std::unique_ptr<Snapshot> build_snapshot(const Config& config, const AllWeights& weights,
                                         std::optional<OnRefusal> drain,
                                         const Identities& identities,
                                         const std::vector<PortInfo>& ports,
                                         uint64_t network_generation, const AccessLists& access) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->network_generation = network_generation;
  snapshot->reuse = {config.time_wait.reuse, ms_of(config.time_wait.backend_time),
                     ms_of(config.time_wait.guard_time)};
  snapshot->half_open_percent = config.limits.half_open_percent;
  snapshot->timeouts_ms = timeouts_of(config.tcp_timeouts);
  snapshot->access = access.of_all();
  snapshot->proxy_forms = identities.proxy_forms();
  snapshot->flow_log_sample = config.flow_log.file.empty() ? 0 : config.flow_log.sample;
  add_interfaces(*snapshot, config, ports);
  add_routes(*snapshot, config);
  add_services(*snapshot, config, weights, drain, identities, have_different_mtus(ports), access);
  count_sharers(*snapshot, identities);
  add_identities(*snapshot, identities);
  add_own_addresses(*snapshot, config, identities);
  snapshot->seal();
  return snapshot;
}

}  // namespace sluice::control
