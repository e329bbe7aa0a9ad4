// SPDX-License-Identifier: BSD-3-Clause
// The dataplane's address values, read from text and written back. Strict: no short forms, nothing
// before or after.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/state/port_set.h"

namespace sluice::control {

std::optional<net::Ipv4Address> parse_ipv4(std::string_view text);
std::optional<net::Ipv4Prefix> parse_prefix(std::string_view text);
std::optional<net::Endpoint> parse_endpoint(std::string_view text);  // "10.3.0.1:80", port not 0
std::optional<PortRange> parse_port_range(std::string_view text);    // "1024-65535", both included
std::optional<net::MacAddress> parse_mac(std::string_view text);     // "02:00:00:00:00:01"
// True for "fd00::1", "fd00::1/64" and "[fd00::1]:80", so that the refusal can say why.
bool looks_like_ipv6(std::string_view text);

net::Ipv4Prefix network_of(net::Ipv4Prefix prefix);  // without its host bits

std::string to_string(net::Ipv4Prefix prefix);
std::string to_string(const net::MacAddress& mac);
std::string to_string(PortRange range);

}  // namespace sluice::control
