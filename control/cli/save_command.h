// SPDX-License-Identifier: BSD-3-Clause
// sluicectl save: overrides into the configuration file, with the rights of whoever calls.
//
// Sluice itself may not write its configuration. It says which weights are in force over which
// text; the file is read, edited and replaced here, so that nothing but weights can change, and
// sluice then looks whether the file says what it should.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "control/cli/command.h"

namespace sluice::control {

// `ask` sends a request and gives its result. The result is for the person who asked: "message".
// Throws ApiError.
nlohmann::json save_overrides(
    const std::function<nlohmann::json(const nlohmann::json& request)>& ask);

Command save_command();

}  // namespace sluice::control
