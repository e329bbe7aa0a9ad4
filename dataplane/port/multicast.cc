// SPDX-License-Identifier: BSD-3-Clause
// All, else a list, else a word why not.
#include "dataplane/port/multicast.h"

#include <linux/if_packet.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace sluice {
namespace {

rte_ether_addr raw(const net::MacAddress& mac) {
  rte_ether_addr address;
  std::ranges::copy(mac.bytes, std::begin(address.addr_bytes));
  return address;
}

}  // namespace

const std::vector<net::MacAddress>& link_groups() {
  static const std::vector<net::MacAddress> groups = {
      {{0x01, 0x00, 0x5e, 0, 0, 0x01}},  // 224.0.0.1, all hosts
      {{0x01, 0x00, 0x5e, 0, 0, 0x02}},  // 224.0.0.2, all routers
      {{0x01, 0x00, 0x5e, 0, 0, 0x05}},  // 224.0.0.5, OSPF
      {{0x01, 0x00, 0x5e, 0, 0, 0x06}},  // 224.0.0.6, OSPF's designated routers
      {{0x01, 0x00, 0x5e, 0, 0, 0x09}},  // 224.0.0.9, RIP
      {{0x01, 0x00, 0x5e, 0, 0, 0x0a}},  // 224.0.0.10, EIGRP
      {{0x01, 0x00, 0x5e, 0, 0, 0x0d}},  // 224.0.0.13, PIM
      {{0x01, 0x00, 0x5e, 0, 0, 0x12}},  // 224.0.0.18, VRRP
      {{0x33, 0x33, 0, 0, 0, 0x01}},     // ff02::1, all nodes
      {{0x33, 0x33, 0, 0, 0, 0x02}},     // ff02::2, all routers
      {{0x33, 0x33, 0, 0, 0, 0x05}},     // ff02::5, OSPFv3
      {{0x33, 0x33, 0, 0, 0, 0x06}},     // ff02::6
      {{0x33, 0x33, 0, 0, 0, 0x12}},     // ff02::12, VRRP
      {{0x01, 0x80, 0xc2, 0, 0, 0x0e}},  // LLDP
      {{0x01, 0x80, 0xc2, 0, 0, 0x14}},  // IS-IS, level 1
      {{0x01, 0x80, 0xc2, 0, 0, 0x15}},  // IS-IS, level 2
  };
  return groups;
}

void Multicast::ask(uint16_t port, unsigned kernel_index,
                    const std::vector<net::MacAddress>& groups) {
  reason_.clear();
  reception_ = Reception::kAll;
  const int all = rte_eth_allmulticast_enable(port);
  if (all == 0 || (kernel_index != 0 && join(kernel_index))) return;
  reason_ = rte_strerror(-all);
  std::vector<rte_ether_addr> list;
  for (const auto* some : {&link_groups(), &groups}) {
    for (const net::MacAddress& group : *some) list.push_back(raw(group));
  }
  const int listed =
      rte_eth_dev_set_mc_addr_list(port, list.data(), static_cast<uint32_t>(list.size()));
  reception_ = listed == 0 ? Reception::kGroups : Reception::kNone;
}

/// Counted by the kernel: it ends with the socket, and disturbs nobody else's.
bool Multicast::join(unsigned kernel_index) {
  leave();
  membership_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);  // of no protocol: it gets no packet
  packet_mreq request{};
  request.mr_ifindex = static_cast<int>(kernel_index);
  request.mr_type = PACKET_MR_ALLMULTI;
  if (membership_ >= 0 &&
      setsockopt(membership_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0) {
    return true;
  }
  leave();
  return false;
}

void Multicast::leave() {
  if (membership_ >= 0) close(membership_);
  membership_ = -1;
}

}  // namespace sluice
