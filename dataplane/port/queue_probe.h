// SPDX-License-Identifier: BSD-3-Clause
// Whether each transmit queue of a device really sends, tried before packets flow.
//
// A driver may have more queues than its chip, and what goes into the others is never seen again.
// Where somebody on the link answers ARP or neighbour solicitations, or the device is looped, that
// shows: a request through each queue has to bring something back.
#pragma once

#include <rte_mempool.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "dataplane/net/address.h"

namespace sluice {

struct QueueProbe {
  uint16_t port;  // started, and with a link
  uint16_t rx_queue_count;
  uint16_t tx_queue_count;
  rte_mempool* packets;
  net::MacAddress mac;
  net::IpAddress source;                // an address of ours on that link
  std::vector<net::IpAddress> targets;  // of others there and of that family; a few are asked
};

/// How many of the transmit queues send, counted from the first up to one that does not. All of
/// them where nothing can be known, because not even the first queue brings an answer. Takes up to
/// three times `wait` for a queue without one. What else arrives meanwhile is dropped.
uint16_t count_sending_queues(const QueueProbe& probe, std::chrono::milliseconds wait);

}  // namespace sluice
