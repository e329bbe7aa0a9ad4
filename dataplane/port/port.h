// SPDX-License-Identifier: BSD-3-Clause
// Ethernet devices: from a device string to a started port with queues for the workers.
//
// Each worker gets a receive and a transmit queue of its own, the first workers alone where the
// device has fewer. RSS is set to spread TCP evenly over the receive queues, with the same key on
// every device that takes one, and what the device then says that it does is read back.
#pragma once

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/port/steering.h"

namespace sluice {

/// A started ethdev port; stopped and closed when it goes.
class Port {
 public:
  /// `device` is a vdev with its arguments ("net_af_packet0,iface=lb-client") or a PCI address;
  /// `packets` is where each worker's receive queue takes its buffers from. With `rx_interrupts`
  /// its receive queues can interrupt, where the driver has that. Throws std::runtime_error with
  /// the step that failed and DPDK's reason.
  Port(const std::string& device, const std::vector<rte_mempool*>& packets,
       bool rx_interrupts = false);
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();

  uint16_t id() const { return id_; }
  net::MacAddress mac() const { return mac_; }
  uint16_t mtu() const;
  /// As the driver sees it.
  bool link_up() const;
  /// The kernel interface under the device, by its number; 0: there is none.
  unsigned kernel_index() const { return kernel_index_; }
  uint16_t rx_queue_count() const { return rx_queue_count_; }
  uint16_t tx_queue_count() const { return tx_queue_count_; }
  /// Uses the first `count` transmit queues alone; the others have been found not to send.
  void limit_tx_queues(uint16_t count) { tx_queue_count_ = count; }

  /// How the device spreads TCP over all workers; nothing, and why, where that cannot be known.
  const std::optional<RssFunction>& rss() const { return rss_; }
  const std::string& no_rss_reason() const { return no_rss_reason_; }

 private:
  void configure(const std::vector<rte_mempool*>& packets, bool rx_interrupts);
  void configure_queues(const rte_eth_dev_info& info, bool rx_interrupts);
  void learn_rss(uint32_t worker_count);

  static constexpr uint16_t kNone = UINT16_MAX;
  std::string device_;
  uint16_t id_ = kNone;
  net::MacAddress mac_;
  unsigned kernel_index_ = 0;
  uint16_t rx_queue_count_ = 0;
  uint16_t tx_queue_count_ = 0;
  std::optional<RssFunction> rss_;
  std::string no_rss_reason_;
};

/// Buffers of one worker, for its queues of `port_count` ports and for packets of its own. Throws
/// std::runtime_error.
rte_mempool* make_packet_pool(uint32_t worker, uint32_t port_count, int numa_socket);
/// The memory that make_packet_pool() takes.
uint64_t packet_pool_bytes(uint32_t port_count);

}  // namespace sluice
