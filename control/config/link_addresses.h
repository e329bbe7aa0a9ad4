// SPDX-License-Identifier: BSD-3-Clause
// The addresses that an interface has: those of the configuration, and what follows from them.
#pragma once

#include <optional>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

// Whether it has an address of that family.
bool has_family(const InterfaceConfig& interface, net::Family family);
// What it sends from to gateways that are on none of its networks, and checks to whatever is behind
// them: the first address of the family, a link's own only where there is no other.
std::optional<IpAddress> first_address(const InterfaceConfig& interface, net::Family family);
// All of them. With IPv6 it has a link-local address (RFC 4291, section 2.1): where none is
// configured, that of its MAC (RFC 2464, section 5).
std::vector<IpPrefix> all_addresses(const InterfaceConfig& interface, const net::MacAddress& mac);

// Whether a configuration has to do with IPv6 at all, and with clients of it.
bool has_ipv6(const Config& config);
bool has_ipv6_vip(const Config& config);

}  // namespace sluice::control
