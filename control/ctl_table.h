// SPDX-License-Identifier: BSD-3-Clause
// Tables for people, made from the API's JSON: columns aligned, numbers to the right, units human.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice::control {

// What `show` can be asked for, in the order of the help text.
const std::vector<std::string>& table_names();

// As wide as it gets, or what fits a terminal: without the columns that one can do without, and long
// names and reasons cut short.
enum class Width : bool { kTerminal, kWide };
inline constexpr size_t kTerminalColumns = 120;

// The rows of result[what] under their titles. An empty list says so in a line.
std::string render_table(std::string_view what, const nlohmann::json& result,
                         Width width = Width::kTerminal);

std::string human_count(double value);  // 1234 -> "1,234"; 12345678 -> "12.3M"
std::string human_bytes(double value);  // 1536 -> "1.5K"
std::string human_bits(double value);   // 1500 -> "1.5K"
std::string human_ms(double value);
// With hundredths where it is short: "0.75ms", "52ms", "1.2s".
std::string human_fine_ms(double value);  // 61500 -> "1m01s"

}  // namespace sluice::control
