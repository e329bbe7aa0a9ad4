// SPDX-License-Identifier: BSD-3-Clause
// Whether the keys of health checks fit each other and the interfaces that checks leave by.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

void check_health_checks(const Config& config, Reader& reader);

}  // namespace sluice::control
