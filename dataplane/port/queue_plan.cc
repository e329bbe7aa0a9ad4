// SPDX-License-Identifier: BSD-3-Clause
// Halves until the device agrees.
#include "dataplane/port/queue_plan.h"

#include <algorithm>
#include <bit>
#include <string_view>

namespace sluice {
namespace {

constexpr uint16_t kDescriptors = 1024;

/// The chips of this driver have one transmit queue, whatever it says: there is nothing behind a
/// second.
uint16_t tx_queues_there(const rte_eth_dev_info& info) {
  const bool has_one = info.driver_name == std::string_view("net_e1000_em");
  return has_one ? std::min<uint16_t>(1, info.max_tx_queues) : info.max_tx_queues;
}

}  // namespace

std::vector<QueueCounts> queue_plan(const rte_eth_dev_info& info, uint16_t worker_count) {
  const uint16_t tx = std::min(worker_count, tx_queues_there(info));
  uint16_t rx = std::min(worker_count, info.max_rx_queues);
  std::vector<QueueCounts> plan = {{rx, tx}};
  const auto add = [&](QueueCounts counts) {
    if (std::ranges::find(plan, counts) == plan.end()) plan.push_back(counts);
  };
  for (rx = std::bit_floor(rx); rx > 0; rx = static_cast<uint16_t>(rx / 2)) {
    add({rx, tx});
    add({rx, std::min(rx, tx)});
  }
  return plan;
}

uint16_t descriptor_count(const rte_eth_desc_lim& limits) {
  const uint16_t most = limits.nb_max == 0 ? kDescriptors : std::min(limits.nb_max, kDescriptors);
  uint16_t count = std::max(std::bit_floor(most), limits.nb_min);
  const uint16_t align = std::max<uint16_t>(limits.nb_align, 1);
  if (count % align != 0) count = static_cast<uint16_t>(count / align * align + align);
  return limits.nb_max == 0 ? count : std::min(count, limits.nb_max);
}

}  // namespace sluice
