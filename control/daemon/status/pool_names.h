// SPDX-License-Identifier: BSD-3-Clause
// By which names of the configuration a port pool goes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/identities.h"

namespace sluice::control {

// Must not outlive the configuration.
class PoolNames {
 public:
  explicit PoolNames(const Config& config);

  // The [[local_pool]] that has the address; empty when none has it any more.
  std::string local_pool(const IpAddress& local) const;
  // The services that take its ports, from A to Z and separated by ", "; empty when none does any
  // more.
  std::string services(const PoolKey& pool) const;

 private:
  std::map<IpAddress, const LocalPoolConfig*> pools_;
  // By protocol and backend.
  std::map<std::pair<net::Protocol, IpEndpoint>, std::vector<const ServiceConfig*>> services_;
};

}  // namespace sluice::control
