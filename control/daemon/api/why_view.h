// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl why`: what became of a client's handshakes, as the workers remember it.
#pragma once

#include <nlohmann/json.hpp>

#include "control/daemon/api/api_call.h"
#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

Parameters why_parameters();
// Answers a request that fits them. Throws RequestError.
nlohmann::json view_why(const DataplaneManager& dataplane, const nlohmann::json& request);

}  // namespace sluice::control
