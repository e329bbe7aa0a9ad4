// SPDX-License-Identifier: BSD-3-Clause
// What a changed file may change in a running Sluice.
#pragma once

#include <string>
#include <vector>

#include "control/config/config_load.h"

namespace sluice::control {

// The keys that differ and cannot change while packets flow.
std::vector<std::string> keys_that_need_restart(const Config& now, const Config& next);

// Whether what was read from the file may replace `now`. Throws ApplyError with every reason, a
// line each.
void check_reload(const Config& now, const LoadedConfig& next, const std::string& file);

}  // namespace sluice::control
