// SPDX-License-Identifier: BSD-3-Clause
// The answer to `sluicectl explain` in words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/cli/command.h"

namespace sluice::control {

std::string render_explanation(const nlohmann::json& answer);

Command explain_command();

}  // namespace sluice::control
