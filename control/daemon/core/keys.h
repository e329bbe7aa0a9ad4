// SPDX-License-Identifier: BSD-3-Clause
// What a backend and a port pool are to the network: their identity, which reloads keep.
#pragma once

#include <compare>

#include "dataplane/net/address.h"

namespace sluice::control {

struct BackendKey {
  net::Endpoint vip;
  net::Endpoint address;
  auto operator<=>(const BackendKey&) const = default;
};

struct PoolKey {
  net::Ipv4Address local;
  net::Endpoint backend;
  auto operator<=>(const PoolKey&) const = default;
};

}  // namespace sluice::control
