// SPDX-License-Identifier: BSD-3-Clause
// What the two programs' command lines have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sluice::control {

// One line for standard error. A word that nobody knows is named rather than what is missing for
// it: CLI11 looks for required ones first.
inline std::string usage_error(const std::string& program, const CLI::App& app,
                               const CLI::ParseError& error) {
  const auto unknown = app.remaining(true);
  const std::string what =
      unknown.empty() ? error.what() : "\"" + unknown.front() + "\" is not known";
  return program + ": " + what + " (see " + program + " --help)\n";
}

}  // namespace sluice::control
