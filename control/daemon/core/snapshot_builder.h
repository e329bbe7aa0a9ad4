// SPDX-License-Identifier: BSD-3-Clause
// From a configuration and the identities it was given to the snapshot that workers read.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/access_lists.h"
#include "control/daemon/core/identities.h"
#include "control/daemon/core/weights.h"
#include "control/host/link_mtu.h"
#include "dataplane/state/snapshot.h"

namespace sluice::control {

// A started port, in the order of Config::interfaces.
struct PortInfo {
  uint16_t link;  // its number in the dataplane (trunk.h)
  net::MacAddress mac;
  LinkMtu mtu = {};
  uint32_t link_ups = 0;  // how often its link has come up since the start
};

// The keeper has adopted the configuration; `weights` are of its services. Addresses of what was
// removed and lingers stay ours.
std::unique_ptr<Snapshot> build_snapshot(const Config& config, const AllWeights& weights,
                                         std::optional<OnRefusal> drain,
                                         const Identities& identities,
                                         const std::vector<PortInfo>& ports,
                                         uint64_t network_generation,
                                         const AccessLists& access = {});

}  // namespace sluice::control
