// SPDX-License-Identifier: BSD-3-Clause
// sockaddr_in and sockaddr_in6.
#include "control/config/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace sluice::control {

SocketAddress::SocketAddress(const IpEndpoint& endpoint) {
  if (endpoint.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = endpoint.port.raw;
    v4.sin_addr.s_addr = endpoint.ip.v4().raw;
    std::memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = endpoint.port.raw;
    std::memcpy(&v6.sin6_addr, endpoint.ip.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
    length = sizeof v6;
  }
}

IpAddress address_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return net::Ipv4Address{reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr};
  }
  net::Ipv6Address ip;
  std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr,
              ip.bytes.size());
  return ip;
}

}  // namespace sluice::control
