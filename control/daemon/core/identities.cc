// SPDX-License-Identifier: BSD-3-Clause
// Keeps identities: takes ids, makes registry entries, lets the removed linger and frees them.
#include "control/daemon/core/identities.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "control/config/route_lookup.h"

namespace sluice::control {
namespace {

// Ids are given lowest first, so that registries stay dense and easy to read in a debugger.
class FreeIds {
 public:
  template <class State, size_t kCount>
  explicit FreeIds(const StateTable<State, kCount>& slots) {
    for (const State* state : slots) taken_.push_back(state != nullptr);
  }
  explicit FreeIds(const ZeroedTable<Path, Registry::kPaths>& slots) {
    for (const Path& path : slots) taken_.push_back(path.pool != nullptr);
  }
  // There is one: what is wanted has been counted.
  uint32_t take() {
    while (next_ < taken_.size() && taken_[next_]) ++next_;
    return next_++;
  }

 private:
  std::vector<bool> taken_;
  uint32_t next_ = 0;
};

template <class Key, class Entry>
size_t count_union(const std::map<Key, Entry>& present, const std::map<Key, Entry>& wanted) {
  size_t count = present.size();
  for (const auto& [key, entry] : wanted) count += present.contains(key) ? 0 : 1;
  return count;
}

size_t count_union(const std::map<PathKey, PathEntry>& present, const std::set<PathKey>& wanted) {
  size_t count = present.size();
  for (const PathKey& key : wanted) count += present.contains(key) ? 0 : 1;
  return count;
}

void check_count(const char* what, size_t count, size_t max) {
  if (count <= max) return;
  throw ApplyError(fmt::format(
      "{} {} (removed ones that still have flows included) are more than the {} there is room for",
      count, what, max));
}

}  // namespace

Identities::Wanted Identities::wanted_by(const Config& config) {
  Wanted wanted;
  for (const LocalPoolConfig& pool : config.local_pools) {
    wanted.locals.insert(pool.addresses.begin(), pool.addresses.end());
  }
  for (const ServiceConfig& service : config.services) {
    wanted.services[key_of(service)] = {};
    const LocalPoolConfig& locals = local_pool_of(config, service);
    for (const BackendConfig& backend : service.backends) {
      wanted.backends[key_of(service, backend)] = {.service = service.name,
                                                   .weight = backend.weight,
                                                   .max_connections = backend.max_connections};
      for (const IpAddress& local : locals.addresses) {
        wanted.pools[key_of(service, backend, local)] = {.range = locals.ports};
        wanted.paths.insert({key_of(service, backend), local});
      }
    }
  }
  return wanted;
}

void Identities::check(const Wanted& wanted) const {
  check_count("services", count_union(services_, wanted.services), Registry::kServices);
  check_count("backends", count_union(backends_, wanted.backends), Registry::kBackends);
  check_count("pairs of local address and backend", count_union(pools_, wanted.pools),
              Registry::kPools);
  check_count("pairs of local address and service's backend", count_union(paths_, wanted.paths),
              Registry::kPaths);
  check_count("local addresses", count_locals(wanted), NetworkOf<net::Ipv4Address>::kLocals);
  for (const auto& [key, pool] : wanted.pools) {
    auto present = pools_.find(key);
    if (present == pools_.end() || present->second.range == pool.range) continue;
    throw ApplyError(fmt::format(
        "local_pool.ports: {} is in use with the ports {}; other ones need a restart, or another "
        "local address",
        to_string(key.local), to_string(present->second.range)));
  }
}

// Of pools, and of those that have none: no service uses their local_pool.
size_t Identities::count_locals(const Wanted& wanted) const {
  std::set<IpAddress> locals = wanted.locals;
  for (const auto& [key, pool] : pools_) locals.insert(key.local);
  return locals.size();
}

void Identities::adopt(const Config& config, uint64_t now_ms) {
  const Wanted wanted = wanted_by(config);
  check(wanted);
  check_proxy_forms(config);
  mark_all_removed(now_ms);
  adopt_services(wanted);
  adopt_backends(wanted);
  adopt_pools(wanted, config);
  adopt_paths(wanted);
  make_clock_maps(config);
  make_splices(config);
  adopt_proxy_forms(config);
}

void Identities::mark_all_removed(uint64_t now_ms) {
  for (auto& [key, entry] : services_) entry.removed = true;
  for (auto& [key, entry] : backends_) entry.removed = true;
  for (auto& [key, entry] : pools_) {
    if (!entry.removed) entry.used_ms = now_ms;
    entry.removed = true;
  }
  for (auto& [key, entry] : paths_) entry.removed = true;
}

void Identities::adopt_services(const Wanted& wanted) {
  FreeIds ids(registries_.front()->services);
  for (const auto& [key, unused] : wanted.services) {
    ServiceEntry& entry = services_[key];
    entry.removed = false;
    if (entry.id != kNoId) continue;
    entry.id = static_cast<ServiceId>(ids.take());
    for (uint32_t worker = 0; worker < registries_.size(); ++worker) {
      registries_[worker]->services.set(entry.id, std::make_unique<ServiceState>(key.vip, worker));
    }
  }
}

void Identities::adopt_backends(const Wanted& wanted) {
  FreeIds ids(registries_.front()->backends);
  for (const auto& [key, backend] : wanted.backends) {
    BackendEntry& entry = backends_[key];
    entry.removed = false;
    entry.service = backend.service;
    entry.weight = backend.weight;
    entry.max_connections = backend.max_connections;
    if (entry.id != kNoBackend) continue;
    entry.id = ids.take();
    for (Registry* registry : registries_) {
      registry->backends.set(entry.id, std::make_unique<BackendState>(entry.id));
    }
  }
}

void Identities::adopt_pools(const Wanted& wanted, const Config& config) {
  FreeIds ids(registries_.front()->pools);
  const RouteLookup routes(config);
  for (const auto& [key, pool] : wanted.pools) {
    PoolEntry& entry = pools_[key];
    entry.removed = false;
    entry.range = pool.range;
    if (entry.id != kNoPool) continue;
    entry.id = ids.take();
    // A route that a reload moves to another interface does not move the pool: what then comes in
    // elsewhere is handed off.
    const std::optional<RouteResult> way = routes.find(key.backend.ip);
    const auto interface = static_cast<uint16_t>(way ? way->interface : 0);
    const auto shares = steering_.share_ports(key.local, key.backend, interface, pool.range);
    for (uint32_t worker = 0; worker < registries_.size(); ++worker) {
      Registry& registry = *registries_[worker];
      registry.pools.set(
          entry.id, std::make_unique<PoolState>(key.local, key.backend, shares, worker, random_,
                                                registry.port_chunks, key.protocol));
    }
  }
}

void Identities::adopt_paths(const Wanted& wanted) {
  FreeIds ids(registries_.front()->paths);
  for (const PathKey& key : wanted.paths) {
    PathEntry& entry = paths_[key];
    entry.removed = false;
    if (entry.id != kNoPath) continue;
    entry = {ids.take(), pools_.at(pool_of(key)).id, backends_.at(key.backend).id};
    for (Registry* registry : registries_) {
      registry->paths.set(entry.id,
                          {registry->pools[entry.pool], registry->backends[entry.backend]});
    }
  }
}

void Identities::make_clock_maps(const Config& config) {
  const bool any = std::ranges::any_of(config.services, [](const ServiceConfig& service) {
    return service.tcp_timestamps == TimestampPolicy::kRewrite;
  });
  if (!any) return;
  for (Registry* registry : registries_) {
    registry->clock_maps.make(config.limits.flows_per_worker);
  }
}

namespace {

std::optional<ProxyForm> proxy_form(const ServiceConfig& service) {
  switch (service.proxy_protocol) {
    case ProxyProtocol::kOff:
      break;
    case ProxyProtocol::kV1:
      return ProxyForm{net::ProxyVersion::kV1, {}};
    case ProxyProtocol::kV2:
      return ProxyForm{net::ProxyVersion::kV2, service.proxy_authority};
  }
  return {};
}

}  // namespace

uint16_t Identities::proxy_form_of(const ServiceConfig& service) const {
  const auto wanted = proxy_form(service);
  if (!wanted) return kNoProxyForm;
  const auto found = std::ranges::find(proxy_forms_, *wanted);
  return static_cast<uint16_t>(found - proxy_forms_.begin());
}

void Identities::check_proxy_forms(const Config& config) const {
  std::vector<ProxyForm> all = proxy_forms_;
  for (const ServiceConfig& service : config.services) {
    const auto wanted = proxy_form(service);
    if (wanted && std::ranges::find(all, *wanted) == all.end()) all.push_back(*wanted);
  }
  check_count("names of service.proxy_authority, since the start", all.size(), kNoProxyForm);
}

void Identities::adopt_proxy_forms(const Config& config) {
  for (const ServiceConfig& service : config.services) {
    const auto wanted = proxy_form(service);
    if (!wanted) continue;
    if (std::ranges::find(proxy_forms_, *wanted) == proxy_forms_.end()) {
      proxy_forms_.push_back(*wanted);
    }
    for (Registry* registry : registries_) {
      registry->proxy_tracks.make(config.limits.flows_per_worker);
    }
  }
}

void Identities::make_splices(const Config& config) {
  const bool any = std::ranges::any_of(config.services, [](const ServiceConfig& service) {
    return service.guard.syn_cookies != SynCookieMode::kNever;
  });
  if (!any) return;
  for (Registry* registry : registries_) {
    registry->splices.make(config.limits.flows_per_worker);
  }
}

Identities::Backends Identities::backends_of(const ServiceKey& service) const {
  const auto first = backends_.lower_bound({service, {}});
  auto last = first;
  while (last != backends_.end() && last->first.service == service) ++last;
  return {first, last};
}

Identities::Finished Identities::finished(uint64_t now_ms, uint64_t rest_ms) {
  Finished done;
  for (auto& [key, pool] : pools_) {
    if (!pool.removed) continue;
    if (is_used(pool)) pool.used_ms = now_ms;
    if (now_ms - pool.used_ms > rest_ms) done.pools.push_back(key);
  }
  for (const auto& [key, backend] : backends_) {
    if (!backend.removed) continue;
    if (sum(&Registry::backends, backend.id, &BackendState::flows) == 0) {
      done.backends.push_back(key);
    }
  }
  for (const auto& [key, service] : services_) {
    if (!service.removed) continue;
    // Its backends first: their flows count for it.
    if (backends_of(key).empty()) done.services.push_back(key);
  }
  // A path has no flow where its pool or its backend has none. Paths are asked last, so a pool or a
  // backend that is finished finishes its paths in the same call.
  for (const auto& [key, path] : paths_) {
    if (!path.removed) continue;
    if (sum(&Registry::pools, path.pool, &PoolState::flows) == 0 ||
        sum(&Registry::backends, path.backend, &BackendState::flows) == 0) {
      done.paths.push_back(key);
    }
  }
  return done;
}

Identities::Forgotten Identities::forget(const Finished& finished) {
  Forgotten forgotten;
  for (const ServiceKey& key : finished.services) {
    forgotten.services.push_back(services_.at(key).id);
    services_.erase(key);
  }
  for (const BackendKey& key : finished.backends) {
    forgotten.backends.push_back(backends_.at(key).id);
    backends_.erase(key);
  }
  for (const PoolKey& key : finished.pools) {
    forgotten.pools.push_back(pools_.at(key).id);
    pools_.erase(key);
  }
  for (const PathKey& key : finished.paths) {
    forgotten.paths.push_back(paths_.at(key).id);
    paths_.erase(key);
  }
  return forgotten;
}

void Identities::free(const Forgotten& forgotten) {
  for (Registry* registry : registries_) {
    for (const ServiceId id : forgotten.services) registry->services.reset(id);
    for (const PathId id : forgotten.paths) registry->paths.set(id, {});
    for (const BackendId id : forgotten.backends) registry->backends.reset(id);
    for (const PoolId id : forgotten.pools) registry->pools.reset(id);
  }
}

// A flow that is over has given its port back and still names the pool.
bool Identities::is_used(const PoolEntry& pool) const {
  return std::ranges::any_of(registries_, [&](const Registry* registry) {
    const PoolState& state = *registry->pools[pool.id];
    return state.flows.value() > 0 || state.ports.counters().in_use.value() > 0;
  });
}

}  // namespace sluice::control
