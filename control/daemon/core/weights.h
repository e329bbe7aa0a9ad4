// SPDX-License-Identifier: BSD-3-Clause
// The weights that schedulers see. Everything that may change the configured ones meets here: what
// an operator has set, what is known of health, a slow start, and what is to be done when no
// backend is left.
#pragma once

#include <map>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/overrides.h"

namespace sluice::control {

struct ServiceWeights {
  // By backend, in the order of the configuration; 0 takes no new flow. Units: the configured
  // weight; while a backend is in slow start, all of them times 100. Only their ratios matter.
  std::vector<uint32_t> weights;
  // Health leaves none of those that should take flows; `all_down` has decided.
  bool all_down = false;
};

ServiceWeights weights_of(const ServiceConfig& service, const RuntimeState& runtime);

// Of each service, by its VIP. DataplaneManager works them out whenever something that they depend
// on changes; whoever wants to know them asks there.
using AllWeights = std::map<ServiceKey, ServiceWeights>;
AllWeights weights_of(const Config& config, const RuntimeState& runtime);

}  // namespace sluice::control
