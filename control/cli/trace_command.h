// SPDX-License-Identifier: BSD-3-Clause
// sluicectl trace: the next packets of a client, stage by stage, as they come.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace sluice::control {

// One packet of a trace (a row of trace_read), in lines.
std::string render_packet(const nlohmann::json& row);

// `socket` and `as_json` are read when the command runs.
void add_trace_command(CLI::App& app, const std::string& socket, const bool& as_json);

}  // namespace sluice::control
