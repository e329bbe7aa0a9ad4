// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl doctor`: the host by itself, and the running sluice where there is one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/cli/command.h"

namespace sluice::control {

// {"findings": [{"area", "severity", "what", "remedy"}]}, worst first. `config_file` may be empty:
// then the running sluice says which, or the default place is tried.
nlohmann::json run_doctor(const std::string& socket_path, std::string config_file);

std::string render_doctor(const nlohmann::json& result);

// True when something costs connections, or will not start.
bool is_ill(const nlohmann::json& result);

Command doctor_command();

}  // namespace sluice::control
