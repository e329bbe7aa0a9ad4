// SPDX-License-Identifier: BSD-3-Clause
// The one list of sluicectl's commands.
#pragma once

#include <vector>

#include "control/cli/command.h"

namespace sluice::control {

// In the order of the help.
std::vector<Command> commands();

}  // namespace sluice::control
