// SPDX-License-Identifier: BSD-3-Clause
// What runs and on what: the program itself, and the interfaces' devices.
#pragma once

#include <nlohmann/json.hpp>

#include "control/balancer.h"
#include "control/event_loop.h"
#include "control/reload_record.h"

namespace sluice::control {

double unix_seconds();

nlohmann::json view_program(const Balancer& balancer, const ReloadRecord& reloads,
                            const EventLoop::Load& loop);
nlohmann::json view_interfaces(const Balancer& balancer);

}  // namespace sluice::control
