// SPDX-License-Identifier: BSD-3-Clause
// A NIC as far as RSS goes: it hashes a packet with DPDK's own function, bit by bit, and takes the
// queue from its table. With the keys that drivers of DPDK 22.11 set by default.
#pragma once

#include <rte_thash.h>

#include <string>
#include <utility>
#include <vector>

#include "dataplane/port/steering.h"

namespace sluice::test {

using RssKey = std::vector<uint8_t>;

/// Microsoft's, of the RSS specification: Intel's e1000/igb and ixgbe, Broadcom, Chelsio and more.
inline const RssKey kMicrosoftKey = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                     0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                     0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                     0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
/// Mellanox' mlx4 and mlx5.
inline const RssKey kMellanoxKey = {0x2c, 0xc6, 0x81, 0xd1, 0x5b, 0xdb, 0xf4, 0xf7, 0xfc, 0xa2,
                                    0x83, 0x19, 0xdb, 0x1a, 0x3e, 0x94, 0x6b, 0x9e, 0x38, 0xd9,
                                    0x2c, 0x9c, 0x03, 0xd1, 0xad, 0x99, 0x44, 0xa7, 0xd9, 0x56,
                                    0x3d, 0x59, 0x06, 0x3c, 0x25, 0xf3, 0xfc, 0x1f, 0xdc, 0x2a};
/// Intel's i40e, 52 bytes.
inline const RssKey kI40eKey = {0x44, 0x39, 0x79, 0x6b, 0xb5, 0x4c, 0x50, 0x23, 0xb6, 0x75, 0xea,
                                0x5b, 0x12, 0x4f, 0x9f, 0x30, 0xb8, 0xa2, 0xc0, 0x3d, 0xdf, 0xdc,
                                0x4d, 0x02, 0xa0, 0x8c, 0x9b, 0x33, 0x4a, 0xf6, 0x4a, 0x4c, 0x05,
                                0xc6, 0xfa, 0x34, 0x39, 0x58, 0xd8, 0x55, 0x7d, 0x99, 0x58, 0x3a,
                                0xe1, 0x38, 0xc9, 0x2e, 0x81, 0x15, 0x03, 0x66};
/// Intel's ice draws its 52 bytes at random: one draw.
inline const RssKey kIceKey = {0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0xf3, 0x9c, 0xc0,
                               0x60, 0x5c, 0xed, 0xc8, 0x34, 0x10, 0x82, 0x27, 0x6b, 0xf3, 0xa2,
                               0x72, 0x51, 0xf8, 0x6c, 0x6a, 0x11, 0xd0, 0xc1, 0x8e, 0x95, 0x27,
                               0x67, 0xf0, 0xb1, 0x53, 0xd2, 0x7b, 0x7f, 0x03, 0x47, 0x04, 0x5b,
                               0x5b, 0xf1, 0x82, 0x7f, 0x01, 0x88, 0x6f, 0x09};

inline const std::vector<std::pair<std::string, RssKey>> kRssKeys = {
    {"ixgbe", kMicrosoftKey}, {"mlx5", kMellanoxKey}, {"i40e", kI40eKey}, {"ice", kIceKey}};

/// A table that spreads its entries over the queues in turn, as Sluice sets it.
inline std::vector<uint16_t> even_reta(size_t size, uint32_t queues) {
  std::vector<uint16_t> reta(size);
  for (size_t i = 0; i < size; ++i) reta[i] = static_cast<uint16_t>(i % queues);
  return reta;
}

class NicModel {
 public:
  explicit NicModel(RssFunction rss) : rss_(std::move(rss)) {}

  uint32_t queue_of(net::Ipv4Endpoint from, net::Ipv4Endpoint to) const {
    uint32_t tuple[3] = {from.ip.host(), to.ip.host(),
                         uint32_t{from.port.host()} << 16 | to.port.host()};
    return queue_of_hash(rte_softrss(tuple, 3, rss_.key.data()));
  }
  uint32_t queue_of(const net::Ipv6Endpoint& from, const net::Ipv6Endpoint& to) const {
    uint32_t tuple[9] = {};
    for (size_t i = 0; i < 16; ++i) {
      tuple[i / 4] |= uint32_t{from.ip.bytes[i]} << (24 - 8 * (i % 4));
      tuple[4 + i / 4] |= uint32_t{to.ip.bytes[i]} << (24 - 8 * (i % 4));
    }
    tuple[8] = uint32_t{from.port.host()} << 16 | to.port.host();
    return queue_of_hash(rte_softrss(tuple, 9, rss_.key.data()));
  }

 private:
  uint32_t queue_of_hash(uint32_t hash) const { return rss_.reta[hash & (rss_.reta.size() - 1)]; }

  RssFunction rss_;
};

}  // namespace sluice::test
