// SPDX-License-Identifier: BSD-3-Clause
// What the host's kernel is told about a tap: MAC address, MTU, addresses, routes (rtnetlink); and
// what it says of the links of its interfaces.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "dataplane/net/address.h"

namespace sluice::control {

// The [[route]]s of either family whose gateway is on this interface (an index into
// Config::interfaces).
std::vector<RouteConfig> routes_through(const Config& config, size_t interface);

// Has the kernel make no link-local address by itself on a link that is down yet: it gets the one
// that Sluice answers for. Where that cannot be, it may have two.
void keep_from_link_local(const std::string& link);
// Each throws std::runtime_error with the step and the kernel's reason.
void bring_up(const std::string& link, net::MacAddress mac, uint32_t mtu);
void add_address(const std::string& link, const IpPrefix& address);
void remove_address(const std::string& link, const IpPrefix& address);
void add_route(const std::string& link, const RouteConfig& route);
void remove_route(const std::string& link, const RouteConfig& route);

// How a kernel interface stands.
struct KernelLink {
  std::string name;
  bool exists = false;
  bool enabled = false;  // IFF_UP: by its administrator
  bool carrier = false;  // IFF_LOWER_UP
  bool running = false;  // IFF_RUNNING: both, and what stands above it (802.1X, a bond) agrees
  uint32_t carrier_changes = 0;
};
// By its number, which outlives a change of name. Throws std::runtime_error.
KernelLink read_link(unsigned index);

// A kernel interface whose frames Sluice reads through AF_PACKET sees them too. Once a tap has the
// addresses, the kernel would take each packet twice: this has it drop what comes in there (strict
// reverse path filter, no answers to ARP). Returns what hinders it, or nothing. Of IPv6 it asks and
// answers on the tap alone; what comes in for it is kept from it by IngressDrop.
std::string mute(const std::string& link);

}  // namespace sluice::control
