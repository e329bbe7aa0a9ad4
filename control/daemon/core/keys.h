// SPDX-License-Identifier: BSD-3-Clause
// What a service, a backend and a port pool are to the network: their identity, which reloads keep.
#pragma once

#include <compare>

#include "control/config/config.h"
#include "control/config/ip_address.h"
#include "dataplane/net/protocol.h"

namespace sluice::control {

struct ServiceKey {
  net::Protocol protocol;
  IpEndpoint vip;
  auto operator<=>(const ServiceKey&) const = default;
};

struct BackendKey {
  ServiceKey service;
  IpEndpoint address;
  auto operator<=>(const BackendKey&) const = default;
};

struct PoolKey {
  net::Protocol protocol;
  IpAddress local;
  IpEndpoint backend;
  auto operator<=>(const PoolKey&) const = default;
};

struct PathKey {
  BackendKey backend;
  IpAddress local;
  auto operator<=>(const PathKey&) const = default;
};

inline PoolKey pool_of(const PathKey& path) {
  return {path.backend.service.protocol, path.local, path.backend.address};
}

inline ServiceKey key_of(const ServiceConfig& service) {
  return {service.protocol, service.vip};
}
inline BackendKey key_of(const ServiceConfig& service, const BackendConfig& backend) {
  return {key_of(service), backend.address};
}
inline PoolKey key_of(const ServiceConfig& service, const BackendConfig& backend,
                      const IpAddress& local) {
  return {service.protocol, local, backend.address};
}

}  // namespace sluice::control
