// SPDX-License-Identifier: BSD-3-Clause
// By which interface, and from which address of it, the configuration leads to a destination. The
// same answer as the snapshot's routes give to packets.
#pragma once

#include <optional>

#include "control/config/config.h"

namespace sluice::control {

struct RouteResult {
  size_t interface;         // index into Config::interfaces
  net::Ipv4Address source;  // the interface's address on the network of destination or gateway
};

std::optional<RouteResult> lookup_route(const Config& config, net::Ipv4Address destination);

}  // namespace sluice::control
