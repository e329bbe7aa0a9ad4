// SPDX-License-Identifier: BSD-3-Clause
// Who is who across reloads: ids and worker-owned state for services, backends, port pools and
// paths.
//
// An identity is what a thing is to the network (keys.h). Two services of a protocol with a backend
// in common share its tuples, so they share its pools. While an identity lives, its id and its
// entries in the workers' registries stay as they are, with all counters, flows and resting ports.
//
// What a new configuration does not name any more is `removed` and lingers, until no flow uses it
// and no port of it rests for a backend's TIME_WAIT.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/common/errors.h"
#include "control/config/config.h"
#include "control/daemon/core/keys.h"
#include "dataplane/port/steering.h"
#include "dataplane/state/registry.h"

namespace sluice::control {

struct ServiceEntry {
  ServiceId id = kNoId;
  bool removed = false;
};

struct BackendEntry {
  BackendId id = kNoBackend;
  bool removed = false;
  std::string service;  // its name, for people
  uint32_t weight = 0;
  uint32_t max_connections = 0;  // 0: no limit
};

struct PoolEntry {
  PoolId id = kNoPool;
  bool removed = false;
  PortRange range;
  uint64_t used_ms = 0;  // when a removed one was last seen in use
};

struct PathEntry {
  PathId id = kNoPath;
  PoolId pool = kNoPool;
  BackendId backend = kNoBackend;
  bool removed = false;
};

class Identities {
 public:
  // The registries are the workers', and `steering` shares out ports among as many; they outlive
  // the keeper.
  Identities(std::vector<Registry*> registries, net::Random random, Steering& steering)
      : registries_(std::move(registries)), random_(random), steering_(steering) {}

  // Makes room for everything that the configuration names, and marks as removed what it does not.
  // Throws ApplyError, having changed nothing.
  void adopt(const Config& config, uint64_t now_ms);

  // The removed that nothing needs any more: no flow, and for a pool no use for `rest_ms`, which
  // covers the backends' TIME_WAIT.
  struct Finished {
    std::vector<ServiceKey> services;
    std::vector<BackendKey> backends;
    std::vector<PoolKey> pools;
    std::vector<PathKey> paths;  // those of the backends and pools among them
    bool empty() const {
      return services.empty() && backends.empty() && pools.empty() && paths.empty();
    }
  };
  Finished finished(uint64_t now_ms, uint64_t rest_ms);
  // Forgets their names, so that no further snapshot has them. What workers keep for them stays.
  struct Forgotten {
    std::vector<ServiceId> services;
    std::vector<BackendId> backends;
    std::vector<PoolId> pools;
    std::vector<PathId> paths;
  };
  Forgotten forget(const Finished& finished);
  // Frees what workers kept. To be called once no worker uses a snapshot that names them.
  void free(const Forgotten& forgotten);

  const std::map<ServiceKey, ServiceEntry>& services() const { return services_; }
  const std::map<BackendKey, BackendEntry>& backends() const { return backends_; }
  // Those of one service, removed ones too.
  struct Backends {
    std::map<BackendKey, BackendEntry>::const_iterator first, last;
    auto begin() const { return first; }
    auto end() const { return last; }
    bool empty() const { return first == last; }
  };
  Backends backends_of(const ServiceKey& service) const;
  const std::map<PoolKey, PoolEntry>& pools() const { return pools_; }
  const std::map<PathKey, PathEntry>& paths() const { return paths_; }
  // How PROXY headers are written. Flows name a form by its place, so none ever goes.
  const std::vector<ProxyForm>& proxy_forms() const { return proxy_forms_; }
  // The place of the form that a service is configured to send, or kNoProxyForm.
  uint16_t proxy_form_of(const ServiceConfig& service) const;
  const std::vector<Registry*>& registries() const { return registries_; }

  // A counter, summed over the workers.
  template <class State, size_t kCount>
  uint64_t sum(StateTable<State, kCount> Registry::*states, uint32_t id,
               Counter State::*counter) const {
    uint64_t total = 0;
    for (const Registry* registry : registries_)
      total += ((registry->*states)[id]->*counter).value();
    return total;
  }

 private:
  // What a configuration names.
  struct Wanted {
    std::map<ServiceKey, ServiceEntry> services;
    std::map<BackendKey, BackendEntry> backends;
    std::map<PoolKey, PoolEntry> pools;
    std::set<PathKey> paths;
    std::set<IpAddress> locals;
  };
  static Wanted wanted_by(const Config& config);
  void check(const Wanted& wanted) const;
  size_t count_locals(const Wanted& wanted) const;
  void mark_all_removed(uint64_t now_ms);
  void adopt_services(const Wanted& wanted);
  void adopt_backends(const Wanted& wanted);
  void adopt_pools(const Wanted& wanted, const Config& config);
  void adopt_paths(const Wanted& wanted);
  bool is_used(const PoolEntry& pool) const;
  void make_clock_maps(const Config& config);
  void make_splices(const Config& config);
  void check_proxy_forms(const Config& config) const;
  void adopt_proxy_forms(const Config& config);

  std::vector<Registry*> registries_;
  net::Random random_;
  Steering& steering_;
  std::map<ServiceKey, ServiceEntry> services_;
  std::map<BackendKey, BackendEntry> backends_;
  std::map<PoolKey, PoolEntry> pools_;
  std::map<PathKey, PathEntry> paths_;
  std::vector<ProxyForm> proxy_forms_;
};

}  // namespace sluice::control
