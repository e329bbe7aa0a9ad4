// SPDX-License-Identifier: BSD-3-Clause
// The invariant on what a link can carry: the balancer is the router in front of it.
#include <algorithm>

#include "tests/simulation/checker.h"

namespace sluice::sim {

uint16_t Checker::mss_expected() const {
  const unsigned mtu = std::min(scenario_.client_mtu, scenario_.backend_mtu);
  return static_cast<uint16_t>(scenario_.mss_clamp ? mtu - kHeadersSize : kMssOfAll);
}

void Checker::check_size(Side side, FrameView frame) {
  const unsigned mtu = side == Side::client ? scenario_.client_mtu : scenario_.backend_mtu;
  if (frame.size() > kEthernetSize + mtu)
    fail("mtu", kNobody, "%zu bytes leave by a link that carries %u", frame.size(), mtu);
}

// To whoever sent the packet, about the packet as it was sent, with the MTU of the other side.
void Checker::error_leaves(Side side, const PathError& e) {
  figures_.path_errors++;
  const uint16_t mtu = side == Side::client ? scenario_.backend_mtu : scenario_.client_mtu;
  if (e.mtu != mtu) return fail("mtu", kNobody, "an error says %u, and it is %u", e.mtu, mtu);
  if (!e.sums_up) return fail("mtu", kNobody, "an error quotes a packet with another checksum");
  if (e.to != e.source.ip)
    return fail("mtu", kNobody, "an error goes to somebody who did not send the packet");
  const ConnectionId id = side == Side::client ? sender_among_clients(e) : sender_among_backends(e);
  const Connection* c = connections_.find(id);
  if (c == nullptr) return fail("mtu", id, "an error about a packet of no connection");
  if (scenario_.mss_clamp) return fail("mtu", id, "an error where the MSS is clamped");
  const bool said = side == Side::client ? c->client_spoke.covers_seq(e.seq)
                                         : c->backend_spoke[0].covers_seq(e.seq);
  if (!said) fail("mtu", id, "an error about a packet that was never sent");
}

ConnectionId Checker::sender_among_clients(const PathError& e) const {
  const auto found = by_client_.find(key_of(e.source));
  return e.destination == site_.vip && found != by_client_.end() ? found->second : kNobody;
}

ConnectionId Checker::sender_among_backends(const PathError& e) const {
  const auto found = owners_.find(key_of(Tuple{e.destination, e.source}));
  return found == owners_.end() ? kNobody : found->second;
}

}  // namespace sluice::sim
