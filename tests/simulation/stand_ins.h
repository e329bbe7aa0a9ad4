// SPDX-License-Identifier: BSD-3-Clause
// Two things to put in the balancer's place. The direct path is the control experiment: if anything
// goes wrong with it, the models are wrong. The plain NAT is the failure itself (design.md section
// 1): it keeps timestamps, picks ports at random, uses them again at once and knows nothing of
// TIME_WAIT.
#pragma once

#include <memory>

#include "tests/simulation/balancer.h"

namespace sluice::sim {

std::unique_ptr<Balancer> make_direct_path(const Site& site, Wire& wire);
std::unique_ptr<Balancer> make_plain_nat(const Site& site, Wire& wire, uint64_t seed);

}  // namespace sluice::sim
