// SPDX-License-Identifier: BSD-3-Clause
// sluicectl drain and undrain: no new flows, for the whole balancer.
#pragma once

#include "control/cli/command.h"

namespace sluice::control {

Command drain_command();
Command undrain_command();

}  // namespace sluice::control
