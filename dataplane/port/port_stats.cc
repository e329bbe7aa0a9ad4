// SPDX-License-Identifier: BSD-3-Clause
// Ethdev's counters.
#include "dataplane/port/port_stats.h"

#include <rte_ethdev.h>

#include <algorithm>

namespace sluice {

PortStats read_port_stats(uint16_t port) {
  rte_eth_stats stats{};
  if (!rte_eth_dev_is_valid_port(port) || rte_eth_stats_get(port, &stats) != 0) return {};
  return {stats.ipackets, stats.ibytes,  stats.opackets, stats.obytes,
          stats.imissed,  stats.ierrors, stats.oerrors,  stats.rx_nombuf};
}

PortLink read_port_link(uint16_t port) {
  rte_eth_link link{};
  if (!rte_eth_dev_is_valid_port(port) || rte_eth_link_get_nowait(port, &link) != 0) return {};
  const bool known = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return {link.link_status == RTE_ETH_LINK_UP, known ? link.link_speed : 0};
}

std::vector<std::pair<std::string, uint64_t>> read_port_xstats(uint16_t port) {
  if (!rte_eth_dev_is_valid_port(port)) return {};  // its device is gone
  const int count = rte_eth_xstats_get_names(port, nullptr, 0);
  if (count <= 0) return {};
  std::vector<rte_eth_xstat_name> names(static_cast<size_t>(count));
  std::vector<rte_eth_xstat> values(static_cast<size_t>(count));
  const auto size = static_cast<unsigned>(count);
  // How many there are may change in between: then there is nothing this time.
  if (rte_eth_xstats_get_names(port, names.data(), size) != count) return {};
  if (rte_eth_xstats_get(port, values.data(), size) != count) return {};
  std::vector<std::pair<std::string, uint64_t>> out;
  for (const rte_eth_xstat& value : values) {
    if (value.id < names.size()) out.emplace_back(names[value.id].name, value.value);
  }
  return out;
}

}  // namespace sluice
