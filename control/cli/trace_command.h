// SPDX-License-Identifier: BSD-3-Clause
// sluicectl trace: the next packets of a client, stage by stage, as they come.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/cli/command.h"

namespace sluice::control {

// One packet of a trace (a row of trace_read), in lines.
std::string render_packet(const nlohmann::json& row);

Command trace_command();

}  // namespace sluice::control
