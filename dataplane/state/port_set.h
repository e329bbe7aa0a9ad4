// SPDX-License-Identifier: BSD-3-Clause
// The local ports that are one worker's: any subset of 1..65535, numbered from 0 in rising order.
//
// A bitmap of all 65,536 ports, each word of it beside the number of ports below it, answers find()
// and index_of() from one cache line; an array answers port_at(). Immutable, and shared by all
// pools that have the same ports.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

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
  /// `ports` in rising order, none twice, none zero. May be empty.
  explicit PortSet(std::span<const uint16_t> ports);

  static constexpr uint16_t kNone = UINT16_MAX;  // no set has 65536 ports: port 0 is never used

  /// The number of a port, or kNone where it is not contained.
  uint16_t find(uint16_t port) const {
    const Word& word = words_[port / 64];
    if ((word.bits >> (port % 64) & 1) == 0) return kNone;
    return rank(word, port);
  }
  /// The number of a port that is contained.
  uint16_t index_of(uint16_t port) const { return rank(words_[port / 64], port); }
  uint16_t port_at(uint16_t index) const { return ports_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(ports_.size()); }

 private:
  struct Word {
    uint64_t bits = 0;
    uint64_t rank = 0;  // of its lowest bit
  };

  static uint16_t rank(const Word& word, uint16_t port) {
    const uint64_t below = word.bits & ((uint64_t{1} << (port % 64)) - 1);
    return static_cast<uint16_t>(word.rank + static_cast<uint32_t>(std::popcount(below)));
  }

  std::array<Word, 1024> words_;
  std::vector<uint16_t> ports_;
};

/// All the ports of a range.
std::shared_ptr<const PortSet> make_port_set(PortRange range);

/// A range of ports shared out among workers: whose each port is, and the set of each worker.
class PortShares {
 public:
  static constexpr uint8_t kNobody = UINT8_MAX;
  static constexpr uint32_t kWorkersMax = kNobody;

  /// `owner_of(port)` tells the worker, below `worker_count`; it is asked once for every port.
  template <class Owner>
  PortShares(PortRange range, uint32_t worker_count, Owner&& owner_of) {
    owners_.fill(kNobody);
    for (uint32_t port = range.first; port <= range.last; ++port) {
      owners_[port] = static_cast<uint8_t>(owner_of(static_cast<uint16_t>(port)));
    }
    make_sets(worker_count);
  }

  /// Whose the port is; kNobody outside the range.
  uint8_t owner_of(uint16_t port) const { return owners_[port]; }
  const std::shared_ptr<const PortSet>& set(uint32_t worker) const { return sets_[worker]; }
  uint32_t worker_count() const { return static_cast<uint32_t>(sets_.size()); }

 private:
  void make_sets(uint32_t worker_count);

  std::array<uint8_t, 65536> owners_;
  std::vector<std::shared_ptr<const PortSet>> sets_;
};

/// The ports of a range dealt out one after the other: shares differ by one port at most.
std::shared_ptr<const PortShares> deal_ports(PortRange range, uint32_t worker_count);

}  // namespace sluice
