// SPDX-License-Identifier: BSD-3-Clause
// The multicast groups that a configuration's own addresses need: IPv6's solicited-node groups, to
// which neighbours address their questions.
#pragma once

#include <optional>
#include <vector>

#include "control/config/config.h"
#include "dataplane/net/address.h"

namespace sluice::control {

// Of the addresses of interfaces, local pools and services; each group once. With a port's MAC also
// of the link-local address that it makes.
std::vector<net::MacAddress> multicast_groups(const Config& config,
                                              std::optional<net::MacAddress> mac = {});

}  // namespace sluice::control
