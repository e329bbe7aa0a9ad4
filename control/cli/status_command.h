// SPDX-License-Identifier: BSD-3-Clause
// The findings and the totals in a few lines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/cli/command.h"

namespace sluice::control {

// `status` is the API's answer to the command of that name.
std::string render_status(const nlohmann::json& status);
// Something costs connections now.
bool is_red(const nlohmann::json& status);

Command status_command();

}  // namespace sluice::control
