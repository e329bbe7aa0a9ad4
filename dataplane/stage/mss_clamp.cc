// SPDX-License-Identifier: BSD-3-Clause
// By the routes to both ends.
#include "dataplane/stage/mss_clamp.h"

#include <algorithm>

namespace sluice {
namespace {

uint16_t mtu_towards(const Snapshot& snapshot, net::Ipv4Address destination) {
  const Route* route = snapshot.find_route(destination);
  return route == nullptr ? UINT16_MAX : snapshot.interfaces[route->interface].mtu;
}

}  // namespace

void clamp_mss(const Core& core, const Flow& flow, net::TcpHeader& tcp) {
  const Snapshot& snapshot = *core.snapshot;
  if (!snapshot.mss_clamp) return;
  const ServiceView* service = snapshot.find_service(flow.key.service);
  if (service == nullptr || !service->mss_clamp) return;
  constexpr uint16_t kHeaders = sizeof(net::Ipv4Header) + sizeof(net::TcpHeader);
  const uint16_t mtu = std::min(mtu_towards(snapshot, core.client(flow).ip),
                                mtu_towards(snapshot, core.backend_address(flow).ip));
  net::clamp_mss(tcp, static_cast<uint16_t>(std::max(mtu, kHeaders) - kHeaders));
}

}  // namespace sluice
