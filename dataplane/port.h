// SPDX-License-Identifier: BSD-3-Clause
// Ethernet devices: from a device string to a started port with a queue pair for each worker.
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <string>

#include "dataplane/net/address.h"

namespace sluice {

/// A started ethdev port; stopped and closed when it goes.
class Port {
 public:
  /// `device` is a vdev with its arguments ("net_af_packet0,iface=lb-client") or a PCI address.
  /// Throws std::runtime_error with the step that failed and DPDK's reason.
  Port(const std::string& device, uint16_t queue_count, rte_mempool* packets);
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();

  uint16_t id() const { return id_; }
  net::MacAddress mac() const { return mac_; }
  bool link_up() const;

 private:
  void configure(uint16_t queue_count, rte_mempool* packets);

  static constexpr uint16_t kNone = UINT16_MAX;
  std::string device_;
  uint16_t id_ = kNone;
  net::MacAddress mac_;
};

/// Buffers for all ports and for packets of our own. Throws std::runtime_error.
rte_mempool* make_packet_pool(uint32_t count, int numa_socket);

}  // namespace sluice
