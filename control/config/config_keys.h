// SPDX-License-Identifier: BSD-3-Clause
// The keys of the configuration file.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

const Keys<Config>& config_keys();

// Every key by its full name ("service.backend.weight"), for the test that the documentation has
// all.
std::vector<std::string> config_key_names();
// The same, each with the words that say what is expected there.
struct KeyText {
  std::string name;
  std::string expected;
};
std::vector<KeyText> config_key_texts();

}  // namespace sluice::control
