// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl top`: the status on a terminal, once a second, until q.
#pragma once

#include "control/cli/command.h"

namespace sluice::control {

// Its run throws ApiError when there is no terminal, or nobody answers to begin with.
Command top_command();

}  // namespace sluice::control
