// SPDX-License-Identifier: BSD-3-Clause
// A stage whose links have IPv6 beside IPv4, and frames of neighbour discovery.
//
//   fd00:1::/64 --- [0] fd00:1::fe   Sluice   fd00:2::fe [1] --- fd00:2::/64
//                       VIP fd00:3::1         local fd00:2::1    backend fd00:2::10
//   ::/0 by fe80::1 on the clients' link
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "dataplane/net/ipv6.h"
#include "dataplane/net/nd.h"
#include "tests/stage/stage.h"
#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::test {

inline constexpr net::Ipv6Address kVip6 = ip6(3, 1), kLocal6 = ip6(2, 1), kBackend6 = ip6(2, 0x10);
inline constexpr net::Ipv6Address kClientSide6 = ip6(1, 0xfe), kBackendSide6 = ip6(2, 0xfe);
inline constexpr net::Ipv6Address kGateway6 = ip6({0xfe80, 0, 0, 0, 0, 0, 0, 1});
inline constexpr net::Ipv6Address kNobody6{};

inline net::MacAddress link_mac(uint16_t link) {
  return mac(static_cast<uint8_t>(link + 1));
}
inline net::Ipv6Address link_local(uint16_t link) {
  return net::link_local_of(link_mac(link));
}

/// A neighbour message as it stands in a frame.
struct Nd {
  uint8_t type = 135;
  uint32_t flags = 0;
  net::Ipv6Address target = kVip6;
  std::optional<net::MacAddress> option = mac(50);
  net::Ipv6Address source = ip6(1, 0x50);
  net::Ipv6Address destination = net::solicited_node_multicast(kVip6);
  net::MacAddress from = mac(50);
  net::MacAddress to = net::multicast_mac(net::solicited_node_multicast(kVip6));
  uint8_t hop_limit = 255;
  uint8_t code = 0;
};

inline Bytes nd_frame(const Nd& nd) {
  const Bytes option =
      nd.option ? Bytes{static_cast<uint8_t>(nd.type == 135 ? 1 : 2), 1} + bytes_of(*nd.option)
                : Bytes{};
  const Bytes message =
      icmp6(nd.source, nd.destination, nd.type, nd.code, nd.flags, bytes_of(nd.target) + option);
  return ethernet_header(nd.to, nd.from, 0x86dd) + ip6_packet({.source = nd.source,
                                                               .destination = nd.destination,
                                                               .next_header = net::kProtocolIcmpv6,
                                                               .hop_limit = nd.hop_limit},
                                                              message);
}

/// Who `asker` is asks for `target`, of everybody.
inline Nd solicitation(const net::Ipv6Address& target, const net::Ipv6Address& asker,
                       net::MacAddress from = mac(50)) {
  const auto group = net::solicited_node_multicast(target);
  return {.target = target,
          .option = from,
          .source = asker,
          .destination = group,
          .from = from,
          .to = net::multicast_mac(group)};
}
/// RFC 4862, section 5.4.2.
inline Nd dad(const net::Ipv6Address& target, net::MacAddress from = mac(50)) {
  Nd nd = solicitation(target, kNobody6, from);
  nd.option.reset();
  return nd;
}
/// To one who asked.
inline Nd advertisement(const net::Ipv6Address& ip, net::MacAddress from,
                        const net::Ipv6Address& asker, net::MacAddress to) {
  return {.type = 136,
          .flags = net::nd_flag::kSolicited | net::nd_flag::kOverride,
          .target = ip,
          .option = from,
          .source = ip,
          .destination = asker,
          .from = from,
          .to = to};
}
/// RFC 4861, section 7.2.6.
inline Nd announcement(const net::Ipv6Address& ip, net::MacAddress from) {
  return {.type = 136,
          .flags = net::nd_flag::kOverride,
          .target = ip,
          .option = from,
          .source = ip,
          .destination = net::kAllNodes,
          .from = from,
          .to = net::multicast_mac(net::kAllNodes)};
}

class DiscoveryStage : public Stage {
 protected:
  DiscoveryStage() {
    families_ = {};
    as_ipv4 = false;
  }

  std::unique_ptr<Snapshot> make_snapshot6(const Scene& scene = {}) {
    auto made = make_snapshot(scene);
    made->interfaces[kClientLink].v6.own = {{link_local(kClientLink), 64}, {kClientSide6, 64}};
    made->interfaces[kBackendLink].v6.own = {{link_local(kBackendLink), 64}, {kBackendSide6, 64}};
    made->v6.routes = {{{ip6(1, 0), 64}, {}, kClientLink, kClientSide6},
                       {{ip6(2, 0), 64}, {}, kBackendLink, kBackendSide6},
                       {{kNobody6, 0}, kGateway6, kClientLink, {}}};
    made->v6.own_everywhere = {kVip6};
    made->add_local(kLocal6);
    // Of the way to it alone: no flow is opened.
    made->services[0].backends.push_back({0, {kBackend6, net::be16::from_host(80)}, 0, {}});
    made->seal();
    return made;
  }
  /// Nobody answers; what the first snapshots send is over.
  void start6(const Scene& scene = {}) {
    start(scene);
    adopt(make_snapshot6(scene));
    sent.clear();
  }
  void hosts_say(uint16_t link, const Nd& nd) { burst(link, {nd_frame(nd)}); }
  /// An answer to what we asked on the backends' link.
  void backend_answers(net::MacAddress from) {
    hosts_say(kBackendLink, advertisement(kBackend6, from, kBackendSide6, link_mac(kBackendLink)));
  }
  /// Where a packet of `length` bytes of ours to the backend goes; nothing where it waits.
  std::optional<net::MacAddress> way(uint16_t length = 100) {
    rte_mbuf* packet = core->tx.allocate(length);
    rte_pktmbuf_mtod(packet, uint8_t*)[sizeof(net::EthernetHeader)] = kMark;
    core->send(packet, kBackend6, hop_);
    flush();
    std::optional<net::MacAddress> to;
    for (const Sent& s : std::exchange(sent, {})) {
      if (s.frame[sizeof(net::EthernetHeader)] != kMark) continue;
      EXPECT_EQ(get16(s.frame, 12), 0x86dd);
      EXPECT_EQ(s.port, kBackendLink);
      to = s.to_mac();
    }
    return to;
  }
  /// Takes what left, but for announcements, DAD and reports.
  std::vector<Sent> requests() {
    std::vector<Sent> asked = std::exchange(sent, {});
    std::erase_if(asked, [](const Sent& s) {
      return s.frame.size() != net::kNdFrameLengthMax || s.frame[kIpAt + 40] != 135;
    });
    return asked;
  }

  static constexpr uint8_t kMark = 0x6f;  // no frame of Sluice begins so
  NextHop hop_;
};

}  // namespace sluice::test
