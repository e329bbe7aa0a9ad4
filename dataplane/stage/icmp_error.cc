// SPDX-License-Identifier: BSD-3-Clause
// Errors of our own.
#include "dataplane/stage/icmp_error.h"

#include <algorithm>

#include "dataplane/net/icmp.h"

namespace sluice {
namespace {

constexpr uint16_t kSmallestMtu = 68;  // RFC 791
constexpr uint16_t kErrorHeaders = sizeof(net::Ipv4Header) + sizeof(net::IcmpHeader);

}  // namespace

void send_error(Core& core, const net::Ipv4Header& ip, uint16_t quoted, const OwnError& error) {
  const Route* back = core.snapshot->v4.find_route(ip.source);
  if (back == nullptr) return;
  if (!core.icmp_limit.take(ip.source, core.now_ms)) return core.count(error.limited);
  // The error itself must fit its way.
  const uint16_t room = core.snapshot->interfaces[back->interface].mtu;
  quoted = std::min<uint16_t>(quoted,
                              static_cast<uint16_t>(std::max(room, kSmallestMtu) - kErrorHeaders));
  constexpr uint16_t kFrame = sizeof(net::EthernetHeader) + net::kIcmpErrorLengthMax;
  rte_mbuf* packet = core.tx.allocate(kFrame);
  if (packet == nullptr) return;
  const net::Unreachable fields{ip.destination, ip.source, error.code, error.mtu};
  const uint16_t length = net::write_unreachable(rte_pktmbuf_mtod(packet, uint8_t*), fields,
                                                 {reinterpret_cast<const uint8_t*>(&ip), quoted});
  rte_pktmbuf_trim(packet, static_cast<uint16_t>(kFrame - length));
  core.count(error.sent);
  NextHop hop;
  core.next_hops.send(*core.snapshot, packet, fields.destination, hop, core.now_ms);
}

}  // namespace sluice
