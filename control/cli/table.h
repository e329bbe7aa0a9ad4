// SPDX-License-Identifier: BSD-3-Clause
// Tables for people, made from the API's JSON: columns aligned, numbers to the right, units human.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice::control {

// What `show` can be asked for, in the order of the help text.
const std::vector<std::string>& table_names();

// As wide as it gets, or what fits a terminal: without the columns that one can do without, and
// long names and reasons cut short.
enum class Width : bool { kTerminal, kWide };
inline constexpr size_t kTerminalColumns = 120;

// The rows of result[what] under their titles. An empty list says so in a line.
std::string render_table(std::string_view what, const nlohmann::json& result,
                         Width width = Width::kTerminal);

}  // namespace sluice::control
