// SPDX-License-Identifier: BSD-3-Clause
// Builds sets of ports.
#include "dataplane/state/port_set.h"

#include <numeric>
#include <utility>

namespace sluice {

PortSet::PortSet(std::span<const uint16_t> ports, net::Random order)
    : ports_(ports.begin(), ports.end()) {
  for (uint32_t i = size(); i > 1; --i) std::swap(ports_[i - 1], ports_[order.below(i)]);
  numbers_.fill(kNone);
  for (uint32_t i = 0; i < size(); ++i) numbers_[ports_[i]] = static_cast<uint16_t>(i);
}

std::shared_ptr<const PortSet> make_port_set(PortRange range, net::Random order) {
  std::vector<uint16_t> ports(range.size());
  std::iota(ports.begin(), ports.end(), range.first);
  return std::make_shared<const PortSet>(ports, order);
}

void PortShares::make_sets(uint32_t worker_count, net::Random& order) {
  std::vector<std::vector<uint16_t>> ports(worker_count);
  for (uint32_t port = 1; port < owners_.size(); ++port) {
    if (owners_[port] < worker_count) ports[owners_[port]].push_back(static_cast<uint16_t>(port));
  }
  for (const auto& share : ports) {
    const net::SipKey key = {order.next(), order.next()};
    sets_.push_back(std::make_shared<const PortSet>(share, net::Random(key)));
  }
}

std::shared_ptr<const PortShares> deal_ports(PortRange range, uint32_t worker_count,
                                             net::Random order) {
  return std::make_shared<const PortShares>(range, worker_count, order, [&](uint16_t port) {
    return (port - range.first) % worker_count;
  });
}

}  // namespace sluice
