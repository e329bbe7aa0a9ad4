// SPDX-License-Identifier: BSD-3-Clause
// Addresses of either family, as control calls them: the dataplane's own.
#pragma once

#include "dataplane/net/address.h"
#include "dataplane/net/ip_prefix.h"

namespace sluice::control {

using net::IpAddress;
using net::IpPrefix;
using IpEndpoint = net::Endpoint;

}  // namespace sluice::control
