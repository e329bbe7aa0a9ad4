// SPDX-License-Identifier: BSD-3-Clause
// From a file to a checked configuration, or to the list of everything that is wrong with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "control/config/config_problem.h"

namespace sluice::control {

struct LoadedConfig {
  Config config;                  // only to be used when `problems` is empty
  std::vector<Problem> problems;  // in the order of their lines
  std::vector<std::string> warnings;
  std::string text;  // what was read

  bool ok() const { return problems.empty(); }
};

LoadedConfig load_config(const std::string& file);
LoadedConfig parse_config(std::string_view text);

// One line for each problem: "file:line: key: got X, expected Y".
std::string describe(const std::vector<Problem>& problems, const std::string& file);

}  // namespace sluice::control
