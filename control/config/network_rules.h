// SPDX-License-Identifier: BSD-3-Clause
// What addresses, networks and routes of a configuration have to be to one another.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

// Reports problems to the reader, by whom all has been read; what is odd and may be meant to
// `warnings`.
void check_networks(const Config& config, Reader& reader, std::vector<std::string>& warnings);

}  // namespace sluice::control
