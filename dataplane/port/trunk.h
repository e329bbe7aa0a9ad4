// SPDX-License-Identifier: BSD-3-Clause
// A device that several interfaces share, each in a VLAN of its own, and tags on their way through
// a worker: off a frame before it is parsed, into it when it leaves.
//
// The device takes the outermost tag off and puts it in where it can (net_af_packet's kernel has
// taken it off in any case, and its driver would only put it back), else that is done here. A frame
// keeps its priority (PCP) in vlan_tci, told by RTE_MBUF_F_RX_VLAN, until it leaves.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

#include "dataplane/net/vlan.h"

namespace sluice {

/// An interface as its device sees it.
struct TrunkMember {
  uint16_t interface;
  uint16_t link;  // what its frames have in place of a port
  net::VlanIds vlan;
};

/// Where an interface is: the ethdev port of its device, and its VLAN there.
struct Attachment {
  uint16_t port;
  net::VlanIds vlan;
};
/// Numbers of the interfaces' links, below kInterfacesMax: of one that has a device to itself, and
/// no tags, its port's; of others such as no port of those has. Frames say by them where they came
/// in.
std::vector<uint16_t> link_numbers(const std::vector<Attachment>& interfaces);

class Trunk {
 public:
  static constexpr uint16_t kNobody = UINT16_MAX;

  explicit Trunk(std::vector<TrunkMember> members) : members_(std::move(members)) {}

  /// False: frames have no tags, the only interface gets all of them, and nothing else here is
  /// asked.
  bool has_tags() const;
  uint16_t first() const { return members_.front().interface; }
  /// Takes up to two tags off a frame and tells whose it is; kNobody where no interface is in that
  /// VLAN. A tag of VLAN 0 is none (802.1Q: it has but a priority).
  uint16_t take(rte_mbuf* frame) const;
  const std::vector<TrunkMember>& members() const { return members_; }

 private:
  uint16_t find(net::VlanIds vlan) const;

  std::vector<TrunkMember> members_;
};

/// What is made of a frame has its priority.
inline void keep_priority(rte_mbuf* made, const rte_mbuf* of) {
  if ((of->ol_flags & RTE_MBUF_F_RX_VLAN) == 0) return;
  made->ol_flags |= RTE_MBUF_F_RX_VLAN;
  made->vlan_tci = of->vlan_tci;
}

/// Puts an interface's tags into a frame, with the priority that it came with. `by_device`: the
/// device puts in the outermost one itself. False: no room in front of the frame.
bool put_tags(rte_mbuf* frame, net::VlanIds vlan, bool by_device);

}  // namespace sluice
