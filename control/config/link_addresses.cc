// SPDX-License-Identifier: BSD-3-Clause
// Addresses of interfaces, by family.
#include "control/config/link_addresses.h"

#include <algorithm>

#include "control/config/address_rules.h"
#include "dataplane/net/ipv6.h"

namespace sluice::control {

bool has_family(const InterfaceConfig& interface, net::Family family) {
  return std::ranges::any_of(interface.addresses, [family](const IpPrefix& own) {
    return own.address.family() == family;
  });
}

std::optional<IpAddress> first_address(const InterfaceConfig& interface, net::Family family) {
  std::optional<IpAddress> found;
  for (const IpPrefix& own : interface.addresses) {
    if (own.address.family() != family) continue;
    if (!is_link_local(own.address)) return own.address;
    if (!found) found = own.address;
  }
  return found;
}

std::vector<IpPrefix> all_addresses(const InterfaceConfig& interface, const net::MacAddress& mac) {
  constexpr uint8_t kLinkLocalLength = 64;
  std::vector<IpPrefix> all = interface.addresses;
  const bool has_one =
      std::ranges::any_of(all, [](const IpPrefix& own) { return is_link_local(own.address); });
  if (has_family(interface, net::Family::kIpv6) && !has_one) {
    all.push_back({net::link_local_of(mac), kLinkLocalLength});
  }
  return all;
}

bool has_ipv6(const Config& config) {
  return std::ranges::any_of(config.interfaces, [](const InterfaceConfig& interface) {
    return has_family(interface, net::Family::kIpv6);
  });
}

bool has_ipv6_vip(const Config& config) {
  return std::ranges::any_of(config.services,
                             [](const ServiceConfig& service) { return !service.vip.ip.is_v4(); });
}

}  // namespace sluice::control
