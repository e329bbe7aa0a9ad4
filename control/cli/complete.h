// SPDX-License-Identifier: BSD-3-Clause
// What may come next on sluicectl's command line: the shell asks sluicectl itself.
//
// Everything is read off the commands (commands.h) and options that it parses with, so a new one is
// completed at once. `sluicectl __complete WORD...` prints a candidate a line for the last word.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace sluice::control {

// What only the running sluice knows: the names for a "service" or a "backend", or nothing.
using ValuesOf = std::function<std::vector<std::string>(const std::string& name)>;

// The words follow the program's name; the last one is being typed and may be empty.
std::vector<std::string> complete(const CLI::App& app, const std::vector<std::string>& words,
                                  const ValuesOf& values_of);

}  // namespace sluice::control
