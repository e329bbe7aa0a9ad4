// SPDX-License-Identifier: BSD-3-Clause
// Tags.
#include "dataplane/port/trunk.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr unsigned kTagsMax = 2;

net::be16 type_of(const rte_mbuf* frame) {
  return rte_pktmbuf_mtod(frame, const net::EthernetHeader*)->type;
}

/// Those that the device has taken off, the outer one first.
unsigned taken_by_device(const rte_mbuf* frame, uint16_t* tags) {
  unsigned count = 0;
  if ((frame->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0) tags[count++] = frame->vlan_tci_outer;
  if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) tags[count++] = frame->vlan_tci;
  return count;
}

bool put(rte_mbuf* frame, net::be16 type, uint16_t tci) {
  auto* begin = rte_pktmbuf_mtod(frame, uint8_t*);
  if (rte_pktmbuf_prepend(frame, sizeof(net::VlanTag)) == nullptr) return false;
  net::put_vlan_tag(begin, type, tci);
  return true;
}

}  // namespace

std::vector<uint16_t> link_numbers(const std::vector<Attachment>& interfaces) {
  const auto is_alone = [&](const Attachment& one) {
    return !one.vlan.any() && std::ranges::count(interfaces, one.port, &Attachment::port) == 1;
  };
  std::vector<uint16_t> numbers(interfaces.size(), UINT16_MAX);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (is_alone(interfaces[i])) numbers[i] = interfaces[i].port;
  }
  uint16_t next = 0;
  for (uint16_t& number : numbers) {
    if (number != UINT16_MAX) continue;
    while (std::ranges::find(numbers, next) != numbers.end()) ++next;
    number = next;
  }
  return numbers;
}

bool Trunk::has_tags() const {
  return members_.size() > 1 || members_.front().vlan.any();
}

uint16_t Trunk::find(net::VlanIds vlan) const {
  const auto found = std::ranges::find(members_, vlan, &TrunkMember::vlan);
  return found == members_.end() ? kNobody : found->interface;
}

uint16_t Trunk::take(rte_mbuf* frame) const {
  constexpr uint32_t kLeast = sizeof(net::EthernetHeader) + sizeof(net::VlanTag);
  uint16_t tags[kTagsMax];
  unsigned count = taken_by_device(frame, tags);
  while (count < kTagsMax && frame->data_len >= kLeast && net::is_vlan_type(type_of(frame))) {
    tags[count++] = net::take_vlan_tag(rte_pktmbuf_mtod(frame, uint8_t*));
    rte_pktmbuf_adj(frame, sizeof(net::VlanTag));
  }
  frame->ol_flags &= ~(RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_VLAN_STRIPPED |
                       RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_VLAN);
  if (count == 0) return find({});
  const uint16_t last = tags[count - 1];
  frame->vlan_tci = last & net::kVlanPriorityBits;
  frame->ol_flags |= RTE_MBUF_F_RX_VLAN;
  const auto inner = static_cast<uint16_t>(last & net::kVlanIdBits);
  const auto outer = static_cast<uint16_t>(count == kTagsMax ? tags[0] & net::kVlanIdBits : 0);
  return inner == 0 ? find({outer, 0}) : find({inner, outer});
}

bool put_tags(rte_mbuf* frame, net::VlanIds vlan, bool by_device) {
  const bool has_priority = (frame->ol_flags & RTE_MBUF_F_RX_VLAN) != 0;
  const auto priority =
      static_cast<uint16_t>(has_priority ? frame->vlan_tci & net::kVlanPriorityBits : 0);
  const auto inner = static_cast<uint16_t>(priority | vlan.inner);
  // What a device puts in is of 802.1Q: not the outer one of two.
  if (by_device && vlan.outer == 0) {
    frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
    frame->vlan_tci = inner;
    return true;
  }
  if (!put(frame, net::kEtherTypeVlan, inner)) return false;
  const auto outer = static_cast<uint16_t>(priority | vlan.outer);
  return vlan.outer == 0 || put(frame, net::kEtherTypeServiceVlan, outer);
}

}  // namespace sluice
