// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl restart --plan`: what a restart with the file and the program on disk would keep, and
// what it would lose, before anything stops.
#pragma once

#include <optional>

#include "control/cli/command.h"
#include "control/config/config.h"

namespace sluice::control {

Command restart_command();

// `running` is what the running sluice says; `next` the configuration on disk, `layout` that of the
// program on disk, where it could be asked. Gives {"kept", "lost", "findings"}.
nlohmann::json plan_restart(const nlohmann::json& running, const Config& next,
                            std::optional<uint64_t> layout);

}  // namespace sluice::control
