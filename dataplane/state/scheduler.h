// SPDX-License-Identifier: BSD-3-Clause
// Which backend a new flow goes to.
//
//   round_robin        weighted, interleaved: the order is laid out once per snapshot (nginx's
//                      smooth order), a pick is one index
//   least_connections  fewest active flows per weight; IPVS wlc
//   source_hash        highest random weight of (client ip, backend) (Thaler and Ravishankar
//                      1998): a client keeps its backend, and only a removed or full
//                      backend's clients move
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/state/registry.h"
#include "dataplane/state/snapshot.h"

namespace sluice {

/// Turns of weighted round robin: each index as often as its weight (divided by their common
/// divisor), spread evenly. Longer than kTurnsMax is scaled down; a positive weight always keeps a
/// turn.
std::vector<uint16_t> make_wrr_order(std::span<const uint32_t> weights);
inline constexpr uint32_t kTurnsMax = 4096;

/// Lays out what this service's scheduler looks up for each new flow, from the weights of its
/// backends. Called once for each service of a snapshot, when its backends are in it.
void prepare_scheduler(ServiceView& service);

/// A backend with a positive weight that has fewer flows than its max_connections, or nullptr when
/// there is none. `client` is the new flow's.
const BackendView* pick_backend(const ServiceView& service, ServiceState& state,
                                const Registry& registry, const net::IpAddress& client);

}  // namespace sluice
