// SPDX-License-Identifier: BSD-3-Clause
// What runs and on what: the program itself, and the interfaces' devices.
#pragma once

#include <nlohmann/json.hpp>

#include "control/balancer.h"
#include "control/event_loop.h"

namespace sluice::control {

// How reloads went.
struct ReloadRecord {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  bool last_succeeded = true;
  std::string last_error;     // what was wrong, where it has not; its first line
  double last_success_s = 0;  // Unix time; the start counts as one
};

double unix_seconds();

nlohmann::json view_program(const Balancer& balancer, const ReloadRecord& reloads,
                            const EventLoop::Load& loop);
nlohmann::json view_interfaces(const Balancer& balancer);

}  // namespace sluice::control
