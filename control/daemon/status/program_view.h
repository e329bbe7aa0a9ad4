// SPDX-License-Identifier: BSD-3-Clause
// What runs and on what: the program itself, and the interfaces' devices.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "control/common/status_rows.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/core/reload_record.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

double unix_seconds();

ProgramRow program_row(const DataplaneManager& dataplane, const ReloadRecord& reloads,
                       const EventLoop::Load& loop);
std::vector<InterfaceRow> interface_rows(const DataplaneManager& dataplane);
// Whether packets get through them; asks no device.
std::vector<LinkRow> link_rows(const DataplaneManager& dataplane);

nlohmann::json view_program(const DataplaneManager& dataplane, const ReloadRecord& reloads,
                            const EventLoop::Load& loop);
nlohmann::json view_interfaces(const DataplaneManager& dataplane);

}  // namespace sluice::control
