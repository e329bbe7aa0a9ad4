// SPDX-License-Identifier: BSD-3-Clause
// The local ports that are one worker's: any subset of 1..65535, numbered from 0 in a random order.
//
// The numbers are the order of first use (RFC 6056): a pool begins at a number of its own and goes
// round. So a pool that has used few ports has used neighbouring numbers, and needs memory for
// those alone. Two arrays answer find() and port_at(). Immutable, and shared by all pools that have
// the same ports.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/net/siphash.h"

namespace sluice {

/// Ports first..last, both included; first > 0.
struct PortRange {
  uint16_t first = 1024;
  uint16_t last = 65535;

  constexpr uint32_t size() const { return uint32_t{last} - first + 1; }
  constexpr bool contains(uint16_t port) const { return port >= first && port <= last; }
  friend constexpr auto operator<=>(PortRange, PortRange) = default;
};

class PortSet {
 public:
  /// `ports`, none twice, none zero; may be empty. `order` is not to be guessed from outside.
  PortSet(std::span<const uint16_t> ports, net::Random order);

  static constexpr uint16_t kNone = UINT16_MAX;  // no set has 65536 ports: port 0 is never used

  /// The number of a port, or kNone where it is not contained.
  uint16_t find(uint16_t port) const { return numbers_[port]; }
  uint16_t port_at(uint16_t index) const { return ports_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(ports_.size()); }

 private:
  std::array<uint16_t, 65536> numbers_;  // by port
  std::vector<uint16_t> ports_;          // by number
};

/// All the ports of a range.
std::shared_ptr<const PortSet> make_port_set(PortRange range, net::Random order);

/// A range of ports shared out among workers: whose each port is, and the set of each worker.
class PortShares {
 public:
  static constexpr uint8_t kNobody = UINT8_MAX;
  static constexpr uint32_t kWorkersMax = kNobody;

  /// `owner_of(port)` tells the worker, below `worker_count`; it is asked once for every port.
  template <class Owner>
  PortShares(PortRange range, uint32_t worker_count, net::Random order, Owner&& owner_of) {
    owners_.fill(kNobody);
    for (uint32_t port = range.first; port <= range.last; ++port) {
      owners_[port] = static_cast<uint8_t>(owner_of(static_cast<uint16_t>(port)));
    }
    make_sets(worker_count, order);
  }

  /// Whose the port is; kNobody outside the range.
  uint8_t owner_of(uint16_t port) const { return owners_[port]; }
  const std::shared_ptr<const PortSet>& set(uint32_t worker) const { return sets_[worker]; }
  uint32_t worker_count() const { return static_cast<uint32_t>(sets_.size()); }

 private:
  void make_sets(uint32_t worker_count, net::Random& order);

  std::array<uint8_t, 65536> owners_;
  std::vector<std::shared_ptr<const PortSet>> sets_;
};

/// The ports of a range dealt out one after the other: shares differ by one port at most.
std::shared_ptr<const PortShares> deal_ports(PortRange range, uint32_t worker_count,
                                             net::Random order);

}  // namespace sluice
