// SPDX-License-Identifier: BSD-3-Clause
// The packet becomes its own first fragment once the others have been copied from it, unless it is
// a datagram in a large buffer.
#include "dataplane/stage/fragments.h"

#include <array>

#include "dataplane/net/fragment.h"
#include "dataplane/net/ipv6_fragment.h"
#include "dataplane/port/trunk.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

// Of what a buffer holds, by the smallest MTU that IPv4 has (RFC 791).
constexpr uint16_t kFragmentsMax = 48;
constexpr uint16_t kEthernet = sizeof(net::EthernetHeader);

/// Of IPv4: the first fragment is written where the packet is.
struct Ipv4Cut {
  net::Ipv4Header& ip;
  uint16_t mtu;

  uint16_t count() const { return net::fragment_count(ip, mtu); }
  uint16_t write(uint16_t number, uint8_t* to) const {
    return net::write_fragment(ip, mtu, number, to);
  }
};

/// Of IPv6: in front of the first fragment's payload, which stays in place, stands a header more.
struct Ipv6Cut {
  net::Ipv6Header ip;
  std::span<const uint8_t> payload;
  uint32_t id;
  uint16_t mtu;

  uint16_t count() const { return net::ipv6_fragment_count(ip, mtu); }
  uint16_t write(uint16_t number, uint8_t* to) const {
    return net::write_ipv6_fragment(ip, payload, mtu, number, id, {to, mtu});
  }
};

/// Gives back what was made before it was too much; a replacement was never counted.
Verdict give_up(Core& core, rte_mbuf* packet, std::span<rte_mbuf* const> made) {
  if (made[0] != packet) rte_pktmbuf_free(made[0]);
  for (rte_mbuf* fragment : made.subspan(1)) core.tx.drop(fragment, DropReason::mtu_exceeded);
  return DropReason::mtu_exceeded;
}

/// The first fragment stays where the packet is, unless that is a buffer of which there are few.
rte_mbuf* buffer_of_first(Core& core, rte_mbuf* packet, uint16_t mtu) {
  if (!core.tx.is_in_large_buffer(packet)) return packet;
  return core.tx.replacement(static_cast<uint16_t>(kEthernet + mtu));
}

template <class Cut>
Verdict send_all(Core& core, rte_mbuf* packet, const Cut& cut, const net::IpAddress& destination,
                 NextHop& hop) {
  const uint16_t count = cut.count();
  if (count == 0 || count > kFragmentsMax) return DropReason::mtu_exceeded;
  std::array<rte_mbuf*, kFragmentsMax> fragments;
  rte_mbuf* const head = fragments[0] = buffer_of_first(core, packet, cut.mtu);
  if (head == nullptr) return DropReason::mbuf_exhausted;
  for (uint16_t i = 1; i < count; ++i) {
    rte_mbuf* made = core.tx.allocate(static_cast<uint16_t>(kEthernet + cut.mtu));
    if (made == nullptr) return give_up(core, packet, std::span(fragments).first(i));
    const uint16_t length = cut.write(i, rte_pktmbuf_mtod(made, uint8_t*) + kEthernet);
    rte_pktmbuf_trim(made, static_cast<uint16_t>(cut.mtu - length));
    keep_priority(made, packet);
    fragments[i] = made;
  }
  const uint16_t first = cut.write(0, rte_pktmbuf_mtod(head, uint8_t*) + kEthernet);
  rte_pktmbuf_trim(head, static_cast<uint16_t>(head->pkt_len - kEthernet - first));
  if (head != packet) {
    keep_priority(head, packet);
    rte_pktmbuf_free(packet);
  }
  for (uint16_t i = 0; i < count; ++i) core.send(fragments[i], destination, hop);
  core.count(Event::packets_fragmented);
  return net::Fate::kSent;
}

}  // namespace

Verdict send_on_in_fragments(Core& core, Segment& segment, uint16_t mtu, NextHop& hop) {
  return send_all(core, segment.buffer, Ipv4Cut{*segment.packet.ip, mtu},
                  segment.packet.destination_ip(), hop);
}

Verdict send_fragments(Core& core, Segment& segment, uint16_t mtu, NextHop& hop) {
  const net::Packet& packet = segment.packet;
  // Many senders are one address now (RFC 6864).
  const uint16_t id = core.fragment_id++;
  const net::IpAddress destination = packet.destination_ip();
  if (!packet.is_v6) {
    packet.ip->id = net::be16::from_host(id);
    return send_all(core, segment.buffer, Ipv4Cut{*packet.ip, mtu}, destination, hop);
  }
  const auto* payload = reinterpret_cast<const uint8_t*>(packet.ports);
  const Ipv6Cut cut{*packet.ip6, {payload, packet.l4_length}, id, mtu};
  if (rte_pktmbuf_prepend(segment.buffer, sizeof(net::Ipv6FragmentHeader)) == nullptr) {
    return DropReason::mbuf_exhausted;
  }
  return send_all(core, segment.buffer, cut, destination, hop);
}

}  // namespace sluice
