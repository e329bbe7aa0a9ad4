// SPDX-License-Identifier: BSD-3-Clause
// What no single key can know: names that refer to each other, addresses that collide, networks.
#pragma once

#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

// Adds what it finds to the reader's problems. Values that could not be read are left alone.
void check_config(const Config& config, Reader& reader, std::vector<std::string>& warnings);

}  // namespace sluice::control
