// SPDX-License-Identifier: BSD-3-Clause
// Which steering the devices that were started allow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/ports.h"
#include "dataplane/port/flow_rules.h"
#include "dataplane/port/steering.h"

namespace sluice::control {

struct SteeringPlan {
  std::unique_ptr<Steering> steering;
  std::vector<FlowRules> rules;  // by device; none but for rte_flow
  std::string passed_over;       // why `auto` did not take what it would rather have
};

// Throws StartError where eal.steering asks for what a device cannot do.
SteeringPlan choose_steering(const Config& config, const Ports& ports, const net::SipKey& secret);

}  // namespace sluice::control
