// SPDX-License-Identifier: BSD-3-Clause
// What a port pool is to the network, by value: what another process knows it by.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"

namespace sluice {

struct PoolName {
  net::Protocol protocol = net::Protocol::kTcp;
  net::IpAddress local;
  net::Endpoint backend;

  friend bool operator==(const PoolName&, const PoolName&) = default;
};

}  // namespace sluice
