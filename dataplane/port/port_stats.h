// SPDX-License-Identifier: BSD-3-Clause
// What a device counts by itself. Control thread only: a driver may take its time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

struct PortStats {
  uint64_t received_packets = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_packets = 0;
  uint64_t sent_bytes = 0;
  uint64_t missed = 0;     // received by the device, for which no descriptor was free
  uint64_t rx_errors = 0;  // broken frames
  uint64_t tx_errors = 0;
  uint64_t no_buffer = 0;  // receptions for which no packet buffer was free
};

struct PortLink {
  bool up = false;
  uint32_t speed_mbps = 0;  // 0: unknown
};

/// All zero where the device does not say.
PortStats read_port_stats(uint16_t port);
PortLink read_port_link(uint16_t port);
/// The driver's own counters, by its names; empty where it has none.
std::vector<std::pair<std::string, uint64_t>> read_port_xstats(uint16_t port);

}  // namespace sluice
