// SPDX-License-Identifier: BSD-3-Clause
// The started ports, by interface: interfaces in VLANs of one device have its port in common.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "dataplane/port/port.h"
#include "dataplane/port/trunk.h"

namespace sluice::control {

class Ports {
 public:
  // Starts a port for each device that the configuration names; `packets` are the workers'. Throws
  // StartError. Once.
  void start(const Config& config, const std::vector<rte_mempool*>& packets);

  // By interface.
  size_t size() const { return device_of_.size(); }
  const Port& operator[](size_t interface) const { return devices_[device_of_[interface]]; }
  size_t device_of(size_t interface) const { return device_of_[interface]; }

  // Each once, in the order of their first interfaces.
  std::vector<Port>& devices() { return devices_; }
  const std::vector<Port>& devices() const { return devices_; }
  size_t first_interface(size_t device) const;

 private:
  std::vector<Port> devices_;
  std::vector<size_t> device_of_;  // by interface
};

// The reason that DPDK gave, with what it logged about it.
std::string dpdk_reason(const std::exception& error);

// Where each interface is.
std::vector<Attachment> attachments_of(const Config& config, const Ports& ports);

}  // namespace sluice::control
