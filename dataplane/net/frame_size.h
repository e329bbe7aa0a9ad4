// SPDX-License-Identifier: BSD-3-Clause
// How much room a frame needs, by the packets that it carries.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::net {

inline constexpr uint32_t kEthernetHeaderBytes = 14;
/// What TPACKET_V2 puts in front of a frame in a packet socket's ring.
inline constexpr uint32_t kRingHeaderBytes = 66;
/// More than what drivers count in: two VLAN tags and the checksum.
inline constexpr uint32_t kAroundPacketBytes = kEthernetHeaderBytes + kRingHeaderBytes;

/// A packet buffer, or a place in a packet socket's ring, which has to fit into one: a frame lies
/// in one of either, whatever the MTU. In steps of a kilobyte, as cards know them.
constexpr uint32_t buffer_bytes_for(uint32_t mtu) {
  constexpr uint32_t kStep = 1024, kMin = 2048;
  return std::max(kMin, (mtu + kAroundPacketBytes + kStep - 1) / kStep * kStep);
}

}  // namespace sluice::net
