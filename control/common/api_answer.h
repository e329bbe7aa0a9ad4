// SPDX-License-Identifier: BSD-3-Clause
// Reads the fields of an answer that a sluice of another version may have made.
//
// A field that is missing, or is of a type that nobody expected, reads as a stand-in; a word that
// nobody knows is shown as it is. Nothing here throws. Text comes without control characters: it
// goes to a terminal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice::control {

// The version of the answers' form, in each of them as "api". It grows when a field changes its
// meaning; fields that are new or gone need no new one.
inline constexpr int64_t kApiVersion = 1;

// null where `row` has no such field, or is no object.
const nlohmann::json& field(const nlohmann::json& row, const char* key);
// Empty where there is no such list.
const nlohmann::json& list_field(const nlohmann::json& row, const char* key);
std::string text_field(const nlohmann::json& row, const char* key,
                       std::string_view otherwise = "?");
double number_field(const nlohmann::json& row, const char* key, double otherwise = 0);
bool flag_field(const nlohmann::json& row, const char* key, bool otherwise = false);
// A whole number in digits: "4000000000"; "?" where there is none.
std::string digits_field(const nlohmann::json& row, const char* key);

// `value` in words: a text as it is, anything else as JSON.
std::string shown(const nlohmann::json& value);
// In one line for scripts (`indent` -1) or in many. Text that is not UTF-8 does not stop it.
std::string dumped(const nlohmann::json& value, int indent = 2);

}  // namespace sluice::control
