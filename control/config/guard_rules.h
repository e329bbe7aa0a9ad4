// SPDX-License-Identifier: BSD-3-Clause
// Whether the keys of each guard go together.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

void check_guards(const Config& config, Reader& reader);

}  // namespace sluice::control
