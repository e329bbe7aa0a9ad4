// SPDX-License-Identifier: BSD-3-Clause
// By the routes to both ends.
#include "dataplane/stage/mss_clamp.h"

#include <algorithm>

namespace sluice {
namespace {

/// The largest segment that the way to an address takes.
uint16_t mss_towards(const Snapshot& snapshot, const net::IpAddress& destination) {
  const uint16_t interface = snapshot.interface_towards(destination);
  if (interface == Snapshot::kNoInterface) return UINT16_MAX;
  const size_t network = destination.is_v4() ? sizeof(net::Ipv4Header) : sizeof(net::Ipv6Header);
  const auto headers = static_cast<uint16_t>(network + sizeof(net::TcpHeader));
  return static_cast<uint16_t>(std::max(snapshot.interfaces[interface].mtu, headers) - headers);
}

bool is_across(const Core& core, const Flow& flow) {
  return flow.has_v6_client() == core.pool(flow).is_v4;
}

}  // namespace

uint16_t mss_limit(const Core& core, const Flow& flow) {
  const Snapshot& snapshot = *core.snapshot;
  if (!snapshot.mss_clamp) return UINT16_MAX;
  if (!is_across(core, flow)) {
    const ServiceView* service = snapshot.find_service(flow.key.service);
    if (service == nullptr || !service->mss_clamp) return UINT16_MAX;
  }
  return std::min(mss_towards(snapshot, core.client(flow).ip),
                  mss_towards(snapshot, core.backend_address(flow).ip));
}

void clamp_mss(const Core& core, const Flow& flow, net::TcpHeader& tcp) {
  if (!core.snapshot->mss_clamp) return;
  if (const uint16_t limit = mss_limit(core, flow); limit != UINT16_MAX) {
    net::clamp_mss(tcp, limit);
  }
}

}  // namespace sluice
