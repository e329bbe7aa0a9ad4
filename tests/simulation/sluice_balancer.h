// SPDX-License-Identifier: BSD-3-Clause
// The dataplane itself in the balancer's place: the same core that a worker runs, fed by the
// simulated links in place of a device.
#pragma once

#include <memory>

#include "tests/simulation/balancer.h"
#include "tests/simulation/scenario.h"

namespace sluice::sim {

std::unique_ptr<Balancer> make_sluice(const Scenario& scenario, const Site& site, Wire& wire,
                                      uint64_t seed);

}  // namespace sluice::sim
