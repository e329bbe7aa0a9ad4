// SPDX-License-Identifier: BSD-3-Clause
// One tap of the host's kernel: the device, and frames in and out of it. It goes when its owner
// does.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/common/unique_fd.h"
#include "control/config/config.h"
#include "dataplane/net/address.h"

namespace sluice::control {

class KernelTap {
 public:
  // Makes the device, gives it what the interface has and brings it up. Throws std::runtime_error
  // with the step that failed.
  KernelTap(const std::string& name, net::MacAddress mac, uint32_t mtu,
            const std::vector<IpPrefix>& addresses, const std::vector<RouteConfig>& routes);

  // Changes what the kernel has to these; throws likewise.
  void configure(const std::vector<IpPrefix>& addresses, const std::vector<RouteConfig>& routes);

  const std::string& name() const { return name_; }
  int fd() const { return fd_.get(); }
  // Someone deleted the device; there is nothing to do but to make another.
  bool is_gone() const { return gone_; }

  // Whether that is its MAC still; true where it cannot be told.
  bool has_mac(const net::MacAddress& mac) const;
  // A frame to the kernel; false when it did not take it.
  bool write(std::span<const uint8_t> frame);
  // A frame of the kernel's; its length, or 0 when there is none.
  size_t read(std::span<uint8_t> room);

 private:
  void note(int error);

  std::string name_;
  UniqueFd fd_;
  bool gone_ = false;
  std::vector<IpPrefix> addresses_;
  std::set<RouteConfig> routes_;
};

}  // namespace sluice::control
