// SPDX-License-Identifier: BSD-3-Clause
// Builds sets of ports.
#include "dataplane/state/port_set.h"

#include <numeric>

namespace sluice {

PortSet::PortSet(std::span<const uint16_t> ports) : words_{}, ports_(ports.begin(), ports.end()) {
  for (const uint16_t port : ports) words_[port / 64].bits |= uint64_t{1} << (port % 64);
  uint64_t rank = 0;
  for (Word& word : words_) {
    word.rank = rank;
    rank += static_cast<uint64_t>(std::popcount(word.bits));
  }
}

std::shared_ptr<const PortSet> make_port_set(PortRange range) {
  std::vector<uint16_t> ports(range.size());
  std::iota(ports.begin(), ports.end(), range.first);
  return std::make_shared<const PortSet>(ports);
}

void PortShares::make_sets(uint32_t worker_count) {
  std::vector<std::vector<uint16_t>> ports(worker_count);
  for (uint32_t port = 1; port < owners_.size(); ++port) {
    if (owners_[port] < worker_count) ports[owners_[port]].push_back(static_cast<uint16_t>(port));
  }
  for (const auto& share : ports) sets_.push_back(std::make_shared<const PortSet>(share));
}

std::shared_ptr<const PortShares> deal_ports(PortRange range, uint32_t worker_count) {
  return std::make_shared<const PortShares>(
      range, worker_count, [&](uint16_t port) { return (port - range.first) % worker_count; });
}

}  // namespace sluice
