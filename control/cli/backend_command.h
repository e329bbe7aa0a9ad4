// SPDX-License-Identifier: BSD-3-Clause
// sluicectl backend: weights and states of backends, over the file.
#pragma once

#include "control/cli/command.h"

namespace sluice::control {

Command backend_command();

}  // namespace sluice::control
