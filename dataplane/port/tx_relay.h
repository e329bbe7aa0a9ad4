// SPDX-License-Identifier: BSD-3-Clause
// Frames on their way to a worker that has a transmit queue, from one that has none.
//
// A device with fewer transmit queues than workers has its first workers send for the others:
// worker w's frames go through a ring to worker w mod queues. What no ring or queue takes is
// dropped as `tx_full`, by whoever met it; what is for a device that is gone, as `port_absent`.
//
// Frames go by link, which is an interface by its number. Several of them may be one device, in
// VLANs of their own: whoever sends puts the tags in.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/net/vlan.h"
#include "dataplane/port/handoff.h"

namespace sluice {

class TxRelay {
 public:
  /// `rings` may be nullptr where every port has a queue for every worker.
  TxRelay(const Rings* rings, uint32_t self) : rings_(rings), self_(self) {
    for (uint16_t link = 0; link < kInterfacesMax; ++link) links_[link].port = link;
  }

  /// What queues of an ethdev port have taken from this worker; for any thread.
  uint64_t handed_over(uint16_t port) const { return handed_over_[port].value(); }

  /// A link's device, by its ethdev port, and the VLAN that it is there.
  struct Link {
    uint16_t port = 0;
    uint16_t queue_count = 0;
    net::VlanIds vlan = {};
    bool device_tags = false;  // the device puts in a tag itself
    bool is_bond = false;      // see Port::is_bond()
  };
  void set_link(uint16_t link, const Link& to) {
    links_[link] = to;
    if (to.vlan.any()) tagged_ |= 1u << link;
    if (to.is_bond && self_ < to.queue_count) bonds_ |= 1u << link;
  }

  /// Links that must not be touched, a bit for each: what is for them is not taken.
  void set_absent(uint32_t links) { absent_ = links; }

  /// Sends on a link, by the worker's own queue or through another worker; returns how many
  /// packets were taken.
  uint16_t transmit(uint16_t link, rte_mbuf** packets, uint16_t count);
  /// Sends what other workers gave, and returns whether there was anything. To be called once an
  /// iteration.
  bool forward(WorkerCounters& counters);
  /// Has bonds send what is their own. To be called every few milliseconds.
  void serve_bonds() {
    if (bonds_ != 0) [[unlikely]]
      send_nothing(bonds_ & ~absent_);
  }

 private:
  uint16_t send(uint16_t link, rte_mbuf** packets, uint16_t count);
  void send(uint16_t link, rte_mbuf** packets, uint16_t count, WorkerCounters& counters);
  void send_nothing(uint32_t links);

  const Rings* rings_;
  uint32_t self_;
  uint32_t absent_ = 0;
  uint32_t tagged_ = 0;  // a bit for each link that is in a VLAN
  uint32_t bonds_ = 0;   // a bit for each link that is one, and has a queue of this worker's
  std::array<Link, kInterfacesMax> links_{};
  std::array<Counter, kInterfacesMax> handed_over_;  // by ethdev port
};

}  // namespace sluice
