// SPDX-License-Identifier: BSD-3-Clause
// sluicectl reload: the configuration file is read again.
#pragma once

#include "control/cli/command.h"

namespace sluice::control {

Command reload_command();

}  // namespace sluice::control
