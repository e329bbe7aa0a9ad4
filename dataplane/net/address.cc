// SPDX-License-Identifier: BSD-3-Clause
// Addresses as text.
#include "dataplane/net/address.h"

#include <arpa/inet.h>

namespace sluice::net {

std::string to_string(Ipv4Address ip) {
  const uint32_t v = ip.host();
  return std::to_string(v >> 24) + '.' + std::to_string(v >> 16 & 255) + '.' +
         std::to_string(v >> 8 & 255) + '.' + std::to_string(v & 255);
}

std::string to_string(const IpAddress& ip) {
  if (ip.is_v4()) return to_string(ip.v4());
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, ip.bytes().data(), text, sizeof text);
}

std::string to_string(const Endpoint& end) {
  const std::string ip = to_string(end.ip);
  return (end.ip.is_v4() ? ip : '[' + ip + ']') + ':' + std::to_string(end.port.host());
}

}  // namespace sluice::net
