// SPDX-License-Identifier: BSD-3-Clause
// What a restart would have to take over, for who wants to know beforehand (`sluicectl restart`).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

// `file` is the configuration's, on disk.
nlohmann::json view_restart(const DataplaneManager& dataplane, const std::string& file);

}  // namespace sluice::control
