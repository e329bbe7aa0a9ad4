// SPDX-License-Identifier: BSD-3-Clause
// Addresses of either family, ports and MACs, read from text and written back.
//
// Reading is strict: no short forms, no zone ("%eth0"), nothing before or after. IPv6 stands in
// brackets where a port follows: "[fd00:3::1]:80". It is written as RFC 5952 has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/config/ip_address.h"
#include "dataplane/state/port_set.h"

namespace sluice::control {

std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<IpPrefix> parse_prefix(std::string_view text);       // "10.3.0.0/16", "fd00:3::/64"
std::optional<IpEndpoint> parse_endpoint(std::string_view text);   // "10.3.0.1:80", port not 0
std::optional<PortRange> parse_port_range(std::string_view text);  // "1024-65535", both included
std::optional<net::MacAddress> parse_mac(std::string_view text);   // "02:00:00:00:00:01"

// Why a text that comes near is not taken: it has a zone, or an IPv4-mapped address. Empty where
// there is nothing to say.
std::string near_miss(std::string_view text);

using net::to_string;
std::string to_string(const IpPrefix& prefix);
std::string to_string(const net::MacAddress& mac);
std::string to_string(PortRange range);

}  // namespace sluice::control
