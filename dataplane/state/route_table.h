// SPDX-License-Identifier: BSD-3-Clause
// The longest of many prefixes that holds an address.
//
// The prefixes, nested as they may be, are cut into ranges that lie side by side, each with the
// prefix that counts there: at most two for each prefix and one more. A look-up is a search for the
// last range that begins at or before the address. So that it takes few steps however many there
// are, the space between the first and the last is cut into equal slots, and each slot knows its
// first range (after DXR: Zec, Rizzo and Mikuc 2012). Where all ranges are in one slot it takes as
// many steps as their number has bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "dataplane/net/address.h"

namespace sluice {

template <class Address>
class RouteTable {
 public:
  using Prefix = net::Prefix<Address>;
  static constexpr uint32_t kNone = UINT32_MAX;

  /// Prefixes may have host bits. Of equal ones the first counts.
  explicit RouteTable(std::span<const Prefix> prefixes = {}) {
    add_ranges(prefixes);
    fill_slots();
  }

  /// The number of the longest prefix that holds `ip`, or kNone.
  uint32_t find(const Address& ip) const {
    const Number key = net::number_of(ip);
    if (key < low_) return ranges_[0].prefix;
    const auto slot = static_cast<size_t>(std::min<Number>((key - low_) >> shift_, last_slot_));
    uint32_t at = first_[slot];
    for (uint32_t count = first_[slot + 1] - at + 1; count > 1;) {
      const uint32_t half = count / 2;
      at += ranges_[at + half].begin <= key ? half : 0;
      count -= half;
    }
    return ranges_[at].prefix;
  }

  size_t bytes() const { return ranges_.size() * sizeof(Range) + first_.size() * sizeof(uint32_t); }

 private:
  using Number = net::AddressNumber<Address>;
  static constexpr int kSlotBitsMax = 16;  // 256 KB

  struct Range {
    Number begin;
    uint32_t prefix;  // kNone: none holds it
  };
  struct Network {
    Number begin, end;  // with its last address
    uint8_t length;
    uint32_t prefix;
  };

  static std::vector<Network> sorted(std::span<const Prefix> prefixes) {
    std::vector<Network> networks;
    networks.reserve(prefixes.size());
    for (uint32_t i = 0; i < prefixes.size(); ++i) {
      const Number begin = net::number_of(prefixes[i].address) & prefixes[i].mask();
      networks.push_back({begin, begin | ~prefixes[i].mask(), prefixes[i].length, i});
    }
    std::ranges::sort(networks, {}, [](const Network& network) {
      return std::tuple(network.begin, network.length, network.prefix);
    });
    return networks;
  }

  /// From the first address to the last; `open` are the networks that hold the address at hand, the
  /// longest last.
  void add_ranges(std::span<const Prefix> prefixes) {
    std::vector<Network> open;
    const auto close_last = [&] {
      const Number end = open.back().end;
      open.pop_back();
      if (end != ~Number{0}) add_range(end + 1, open.empty() ? kNone : open.back().prefix);
    };
    add_range(0, kNone);
    for (const Network& network : sorted(prefixes)) {
      while (!open.empty() && open.back().end < network.begin) close_last();
      const bool is_again = !open.empty() && open.back().begin == network.begin &&
                            open.back().length == network.length;
      if (is_again) continue;
      add_range(network.begin, network.prefix);
      open.push_back(network);
    }
    while (!open.empty()) close_last();
  }
  /// Where one begins at the same address already, this one counts.
  void add_range(Number begin, uint32_t prefix) {
    if (!ranges_.empty() && ranges_.back().begin == begin) ranges_.pop_back();
    ranges_.push_back({begin, prefix});
  }

  void fill_slots() {
    const auto last = static_cast<uint32_t>(ranges_.size() - 1);
    low_ = ranges_[last > 0].begin;
    const Number span = ranges_[last].begin - low_;
    const int bits = std::min<int>(std::bit_width(ranges_.size()) + 1, kSlotBitsMax);
    while (span >> shift_ >> bits != 0) ++shift_;
    last_slot_ = static_cast<uint32_t>(span >> shift_);
    for (uint32_t slot = 0, range = 0; slot <= last_slot_; ++slot) {
      const Number begin = low_ + (Number{slot} << shift_);
      while (range < last && ranges_[range + 1].begin <= begin) ++range;
      first_.push_back(range);
    }
    first_.push_back(last);
  }

  std::vector<Range> ranges_;  // in order; the first begins at zero
  // Slots of 2^shift_ addresses from the second range's begin to the last one's: the range of each
  // one's first address, and at the end the last range.
  std::vector<uint32_t> first_;
  Number low_ = 0;
  uint32_t last_slot_ = 0;
  int shift_ = 0;
};

}  // namespace sluice
