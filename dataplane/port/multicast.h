// SPDX-License-Identifier: BSD-3-Clause
// Which multicast frames a device takes in.
//
// Routing protocols (OSPF, VRRP, IS-IS), LLDP and IPv6's neighbour discovery are multicast, and a
// device drops what it has not been told to take. All of it is asked for; where a driver cannot do
// that, the groups one by one. Of a kernel interface the kernel is asked, for as long as the port
// is there: its packet sockets see what the NIC lets through.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/net/address.h"

namespace sluice {

/// Groups that hosts and routers on a link listen to, whatever their addresses.
const std::vector<net::MacAddress>& link_groups();

class Multicast {
 public:
  enum class Reception : uint8_t { kAll, kGroups, kNone };

  Multicast() = default;
  Multicast(Multicast&& other) noexcept
      : reception_(other.reception_),
        reason_(std::move(other.reason_)),
        membership_(std::exchange(other.membership_, -1)) {}
  Multicast& operator=(Multicast&&) = delete;
  ~Multicast() { leave(); }

  /// Has a started port take multicast: all, or link_groups() and these. `kernel_index` is that of
  /// the interface under it, 0 where there is none. May be asked again, for other groups.
  void ask(uint16_t port, unsigned kernel_index, const std::vector<net::MacAddress>& groups);

  Reception reception() const { return reception_; }
  /// Why the device does not do what was asked first; empty where it does.
  const std::string& reason() const { return reason_; }

 private:
  bool join(unsigned kernel_index);
  void leave();

  Reception reception_ = Reception::kNone;
  std::string reason_;
  int membership_ = -1;  // a packet socket that holds IFF_ALLMULTI of a kernel interface
};

}  // namespace sluice
