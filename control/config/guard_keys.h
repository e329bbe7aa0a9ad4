// SPDX-License-Identifier: BSD-3-Clause
// The keys of [guard] and [service.guard].
#pragma once

#include "control/config/config_schema.h"
#include "control/config/guard_config.h"

namespace sluice::control {

const Keys<AccessConfig>& access_keys();
const Keys<GuardConfig>& guard_keys();

}  // namespace sluice::control
