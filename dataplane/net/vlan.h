// SPDX-License-Identifier: BSD-3-Clause
// VLAN tags (IEEE 802.1Q): up to two in front of what a frame carries, the outer one first.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>

#include "dataplane/net/headers.h"

namespace sluice::net {

inline constexpr be16 kEtherTypeVlan = be16::from_host(0x8100);
inline constexpr be16 kEtherTypeServiceVlan = be16::from_host(0x88a8);  // 802.1ad, the outer of two
inline constexpr uint16_t kVlanIdMax = 4094;
inline constexpr uint16_t kVlanIdBits = 0x0fff;
inline constexpr uint16_t kVlanPriorityBits = 0xe000;  // PCP; between them DEI, which is dropped

/// Between the MACs and the type of what follows.
struct VlanTag {
  be16 type;
  be16 tci;
};
static_assert(sizeof(VlanTag) == 4);

/// Which VLAN an interface is in; 0: it has no such tag. Who has an outer one has an inner one.
struct VlanIds {
  uint16_t inner = 0;
  uint16_t outer = 0;

  bool any() const { return inner != 0; }
  uint16_t count() const { return static_cast<uint16_t>((inner != 0) + (outer != 0)); }
  friend constexpr auto operator<=>(const VlanIds&, const VlanIds&) = default;
};

constexpr bool is_vlan_type(be16 type) {
  return type == kEtherTypeVlan || type == kEtherTypeServiceVlan;
}

/// Takes the outermost tag off a frame that begins with it: the MACs move over it. The frame then
/// begins sizeof(VlanTag) later. Returns its TCI.
inline uint16_t take_vlan_tag(uint8_t* frame) {
  constexpr size_t kMacs = 2 * sizeof(MacAddress);
  VlanTag tag;
  std::memcpy(&tag, frame + kMacs, sizeof tag);
  std::memmove(frame + sizeof tag, frame, kMacs);
  return tag.tci.host();
}

/// Puts a tag into a frame that is to begin sizeof(VlanTag) before `frame`, where there is room.
inline void put_vlan_tag(uint8_t* frame, be16 type, uint16_t tci) {
  constexpr size_t kMacs = 2 * sizeof(MacAddress);
  const VlanTag tag{type, be16::from_host(tci)};
  std::memmove(frame - sizeof tag, frame, kMacs);
  std::memcpy(frame - sizeof tag + kMacs, &tag, sizeof tag);
}

}  // namespace sluice::net
