// SPDX-License-Identifier: BSD-3-Clause
// The subcommands that change a running sluice: backend, reload, save, drain, undrain.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sluice::control {

// `socket` and `as_json` are set by the time a subcommand runs, and outlive the app.
void add_operate_commands(CLI::App& app, const std::string& socket, const bool& as_json);

}  // namespace sluice::control
