// SPDX-License-Identifier: BSD-3-Clause
// What the host's kernel is told about a tap: MAC address, MTU, addresses, routes (rtnetlink).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config.h"
#include "dataplane/net/address.h"

namespace sluice::control {

// The [[route]]s whose gateway is on this interface (an index into Config::interfaces).
std::vector<RouteConfig> routes_through(const Config& config, size_t interface);

// Each throws std::runtime_error with the step and the kernel's reason.
void bring_up(const std::string& link, net::MacAddress mac, uint32_t mtu);
void add_address(const std::string& link, net::Ipv4Prefix address);
void remove_address(const std::string& link, net::Ipv4Prefix address);
void add_route(const std::string& link, const RouteConfig& route);
void remove_route(const std::string& link, const RouteConfig& route);

// A kernel interface whose frames Sluice reads through AF_PACKET sees them too. Once a tap has the
// addresses, the kernel would take each packet twice: this has it drop what comes in there (strict
// reverse path filter, no answers to ARP). Returns what hinders it, or nothing.
std::string mute(const std::string& link);

}  // namespace sluice::control
