// SPDX-License-Identifier: BSD-3-Clause
// The special networks of both families (RFC 6890, RFC 4291).
#include "control/config/address_rules.h"

#include <algorithm>

#include "dataplane/net/ipv6.h"

namespace sluice::control {
namespace {

bool is_multicast_v6(const IpAddress& ip) {  // ff00::/8
  return !ip.is_v4() && ip.bytes()[0] == 0xff;
}

// ::/96: the unspecified address, the loopback, and the IPv4-compatible ones that RFC 4291 ended.
bool is_of_the_zero_network_v6(const IpAddress& ip) {
  return !ip.is_v4() &&
         std::ranges::all_of(ip.bytes().first(12), [](uint8_t byte) { return byte == 0; });
}

}  // namespace

bool is_loopback(const IpAddress& ip) {
  if (ip.is_v4()) return ip.bytes()[0] == 127;
  return is_of_the_zero_network_v6(ip) && ip.bytes()[12] == 0 && ip.bytes()[13] == 0 &&
         ip.bytes()[14] == 0 && ip.bytes()[15] == 1;
}

bool is_link_local(const IpAddress& ip) {
  return !ip.is_v4() && net::is_link_local(ip.v6());
}

std::string why_not_unicast(const IpAddress& ip) {
  return is_link_local(ip) ? "fe80::/10 is link-local: no router passes it on"
                           : why_not_on_a_link(ip);
}

std::string why_not_on_a_link(const IpAddress& ip) {
  if (ip.is_v4()) {
    const uint8_t top = ip.bytes()[0];
    if (top != 0 && top != 127 && top < 224) return "";
    return "a unicast address; 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3 are not";
  }
  if (ip.is_any()) return ":: is no address";
  if (is_loopback(ip)) return "::1 is the loopback";
  if (is_of_the_zero_network_v6(ip)) return "::/96 is not in use any more";
  return is_multicast_v6(ip) ? "ff00::/8 is multicast" : "";
}

std::string why_not_listened_on(const IpAddress& ip) {
  if (is_link_local(ip)) return "fe80::/10 needs a zone, which is not supported";
  return is_multicast_v6(ip) ? "ff00::/8 is multicast" : "";
}

std::string why_not_a_host(const IpPrefix& own) {
  // RFC 3021, RFC 6164: of two addresses both are hosts.
  if (own.length + 1u >= own.address.bit_count()) return "";
  if (own.length > 0 && own.address != own.first() &&
      (!own.address.is_v4() || own.address != own.last())) {
    return "";
  }
  return own.address.is_v4() ? "a host's address, neither the network's nor its broadcast"
                             : "a host's address, not the network's own";
}

}  // namespace sluice::control
