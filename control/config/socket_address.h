// SPDX-License-Identifier: BSD-3-Clause
// Endpoints as the kernel's sockets take and give them.
#pragma once

#include <sys/socket.h>

#include "control/config/ip_address.h"

namespace sluice::control {

struct SocketAddress {
  explicit SocketAddress(const IpEndpoint& endpoint);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }

  sockaddr_storage storage{};
  socklen_t length;
};

// Of AF_INET or AF_INET6.
IpAddress address_of(const sockaddr& address);

}  // namespace sluice::control
