// SPDX-License-Identifier: BSD-3-Clause
// Looks names up in the configuration.
#include "control/daemon/status/pool_names.h"

#include <set>

#include "control/common/text.h"

namespace sluice::control {

PoolNames::PoolNames(const Config& config) {
  for (const LocalPoolConfig& pool : config.local_pools) {
    for (const IpAddress& address : pool.addresses) pools_[address] = &pool;
  }
  for (const ServiceConfig& service : config.services) {
    for (const BackendConfig& backend : service.backends) {
      services_[{service.protocol, backend.address}].push_back(&service);
    }
  }
}

std::string PoolNames::local_pool(const IpAddress& local) const {
  const auto found = pools_.find(local);
  return found == pools_.end() ? "" : found->second->name;
}

std::string PoolNames::services(const PoolKey& pool) const {
  const auto found = services_.find({pool.protocol, pool.backend});
  if (found == services_.end()) return "";
  std::set<std::string> names;
  const std::string local_pool = this->local_pool(pool.local);
  for (const ServiceConfig* service : found->second) {
    if (service->local_pool == local_pool) names.insert(service->name);
  }
  return join(names, ", ");
}

}  // namespace sluice::control
