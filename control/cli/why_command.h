// SPDX-License-Identifier: BSD-3-Clause
// sluicectl why: what has become of a client's handshakes that did not go as they should.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/cli/command.h"

namespace sluice::control {

// "90", "90s", "10m", "2h", "1d": in seconds; nothing where it is something else, or 0.
std::optional<uint32_t> parse_seconds(const std::string& text);

// The answer in words; `client` and `since` are as they were asked for.
std::string render_why(const nlohmann::json& answer, const std::string& client,
                       const std::string& since);

Command why_command();

}  // namespace sluice::control
