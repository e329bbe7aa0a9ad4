// SPDX-License-Identifier: BSD-3-Clause
// Ethernet devices: from a device string to a started port with queues for the workers.
//
// Each worker gets a receive and a transmit queue of its own, the first workers alone where the
// device has fewer. RSS is set to spread TCP evenly over the receive queues, with the same key on
// every device that takes one, and what the device then says that it does is read back.
//
// A port may be started anew while the process lives: after a reset of its device, or when a device
// that was unplugged is there again. Its number and its queues stay the same; nobody may use them
// meanwhile (PortKeeper, in control, sees to that).
#pragma once

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/port/multicast.h"
#include "dataplane/port/queue_plan.h"
#include "dataplane/port/steering.h"

namespace sluice {

struct PortOptions {
  bool rx_interrupts = false;  // receive queues interrupt, where the driver has that
  uint16_t mtu = 0;            // 0: what the device has
  bool vlan_tags = false;      // of interfaces in VLANs, which it is to take off and put in
  std::vector<net::MacAddress> groups;  // multicast, beside link_groups()
  std::vector<std::string> members;     // of a bond: devices, that nobody else uses
};

/// A started ethdev port; stopped and closed when it goes.
class Port {
 public:
  /// `device` is a vdev with its arguments ("net_af_packet0,iface=lb-client") or a device of a bus
  /// by the name that DPDK gives it; `packets` is where each worker's receive queue takes its
  /// buffers from. Throws std::runtime_error with the step that failed and DPDK's reason.
  Port(const std::string& device, const std::vector<rte_mempool*>& packets,
       PortOptions options = {});
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();

  uint16_t id() const { return id_; }
  /// The name of the device, without its arguments.
  const std::string& name() const { return name_; }
  net::MacAddress mac() const { return mac_; }
  uint16_t mtu() const;
  /// As the driver sees it.
  bool link_up() const;
  /// The kernel interface under the device, by its number; 0: there is none.
  unsigned kernel_index() const { return kernel_index_; }
  uint16_t rx_queue_count() const { return queues_.rx; }
  uint16_t tx_queue_count() const { return queues_.tx; }
  /// Uses the first `count` transmit queues alone; the others have been found not to send.
  void limit_tx_queues(uint16_t count) { queues_.tx = count; }
  /// Whether the device bonds others, and so has frames of its own to send (LACP): its transmit
  /// queues have to be called ten times a second at least, with frames or without.
  bool is_bond() const { return !options_.members.empty(); }
  /// Whether the device puts VLAN tags in by itself, and was asked to.
  bool inserts_tags() const { return inserts_tags_; }
  const Multicast& multicast() const { return multicast_; }
  /// Other groups, from now on.
  void hear(std::vector<net::MacAddress> groups);

  /// How the device spreads TCP over all workers; nothing, and why, where that cannot be known.
  const std::optional<RssFunction>& rss() const { return rss_; }
  const std::string& no_rss_reason() const { return no_rss_reason_; }

  // Each of these throws std::runtime_error; it may be tried again then.
  /// Resets the device (rte_eth_dev_reset) and starts the port as it was.
  void reset();
  /// Gives up a device that is not there any more. It cannot be used before come_back().
  void leave();
  /// Finds the device again and starts the port as it was.
  void come_back();
  bool is_gone() const { return gone_; }

 private:
  void probe();
  void close_members();
  void start(const std::vector<QueueCounts>& plan);
  void start_with(QueueCounts queues, bool rx_interrupts);
  void configure_queues(const rte_eth_dev_info& info, bool rx_interrupts);
  void set_up_queues(const rte_eth_dev_info& info);
  void set_mtu(const rte_eth_dev_info& info);
  void refuse_mtu_for(const std::string& reason) const;
  void learn_rss();

  static constexpr uint16_t kNone = UINT16_MAX;
  std::string device_;
  std::string name_;
  std::vector<rte_mempool*> packets_;
  PortOptions options_;
  uint16_t id_ = kNone;
  bool gone_ = false;
  net::MacAddress mac_;
  unsigned kernel_index_ = 0;
  QueueCounts queues_{};       // used
  QueueCounts queues_made_{};  // of the device
  bool inserts_tags_ = false;
  Multicast multicast_;
  std::span<const uint8_t> asked_key_;  // of RSS, that the device took; of static bytes
  std::optional<RssFunction> rss_;
  std::string no_rss_reason_;
};

}  // namespace sluice
