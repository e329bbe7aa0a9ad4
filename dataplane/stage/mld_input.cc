// SPDX-License-Identifier: BSD-3-Clause
// MLD.
#include "dataplane/stage/mld_input.h"

#include <optional>

#include "dataplane/net/mld.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/stage/nd_input.h"
#include "dataplane/stage/ownership.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

std::optional<net::MldQuery> read_query(const net::Packet& packet,
                                        std::span<const uint8_t> message) {
  const net::Ipv6Header& ip = *packet.ip6;
  const auto* behind = reinterpret_cast<const uint8_t*>(packet.ip6 + 1);
  const auto headers = net::find_upper_layer(ip, {behind, ip.payload_length.host()});
  return net::read_mld_query(message, ip.hop_limit, ip.source, headers.has_router_alert);
}

}  // namespace

Verdict mld_input(Core& core, Segment& segment, uint16_t interface) {
  const net::Packet& packet = segment.packet;
  const std::span<const uint8_t> message{reinterpret_cast<const uint8_t*>(packet.icmp),
                                         packet.l4_length};
  if (!net::checksum_ok(packet.ip6->source, packet.ip6->destination, net::kProtocolIcmpv6,
                        message)) {
    return DropReason::nd_bad;
  }
  if (packet.icmp->type == net::icmpv6_type::kMldQuery) {
    const std::optional<net::MldQuery> query = read_query(packet, message);
    if (!query) return DropReason::nd_bad;
    // One worker reports for all; which one receives queries, the device decides.
    if (core.worker == 0) {
      core.mld_reports.hear(*core.snapshot, interface, *query, core.now_ms);
    } else {
      hand_copies(core, segment, interface);
    }
  }
  return link_news(core, segment, interface);
}

}  // namespace sluice
