// SPDX-License-Identifier: BSD-3-Clause
// An endpoint as the kernel's sockets take it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "dataplane/net/address.h"

namespace sluice::control {

class SocketAddress {
 public:
  explicit SocketAddress(net::Endpoint endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = endpoint.ip.raw;
    address.sin_port = endpoint.port.raw;
    std::memcpy(&storage_, &address, sizeof address);
    size_ = sizeof address;
  }
  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_;
};

}  // namespace sluice::control
