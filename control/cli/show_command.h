// SPDX-License-Identifier: BSD-3-Clause
// sluicectl show: tables of what sluice is doing.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sluice::control {

// `socket` and `as_json` are read when the command runs.
void add_show_command(CLI::App& app, const std::string& socket, const bool& as_json);

}  // namespace sluice::control
