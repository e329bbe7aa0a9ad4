// SPDX-License-Identifier: BSD-3-Clause
// sluicectl show: tables of what sluice is doing.
#pragma once

#include "control/cli/command.h"

namespace sluice::control {

Command show_command();

}  // namespace sluice::control
