// SPDX-License-Identifier: BSD-3-Clause
// Pools summed up for people: one row a backend, over all local addresses and workers, with the
// fullest of them by name. `show pools` has each one; with many backends that is too much to look at.
#pragma once

#include <nlohmann/json.hpp>

#include "control/balancer.h"

namespace sluice::control {

nlohmann::json view_pool_sums(const Balancer& balancer);

}  // namespace sluice::control
