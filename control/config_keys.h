// SPDX-License-Identifier: BSD-3-Clause
// The keys of the configuration file.
#pragma once

#include "control/config.h"
#include "control/config_schema.h"

namespace sluice::control {

const Keys<Config>& config_keys();

// Every key by its full name ("service.backend.weight"), for the test that the documentation has
// all.
std::vector<std::string> config_key_names();

}  // namespace sluice::control
