// SPDX-License-Identifier: BSD-3-Clause
// Stand-ins for what an answer does not have.
#include "control/common/api_answer.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::control {
namespace {

using nlohmann::json;

std::string printable(std::string text) {
  const auto controls = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  std::ranges::replace_if(text, controls, '?');
  return text;
}

}  // namespace

const json& field(const json& row, const char* key) {
  static const json none;
  const auto found = row.is_object() ? row.find(key) : row.end();
  return found == row.end() ? none : *found;
}

const json& list_field(const json& row, const char* key) {
  static const json none = json::array();
  const json& list = field(row, key);
  return list.is_array() ? list : none;
}

std::string text_field(const json& row, const char* key, std::string_view otherwise) {
  const json& value = field(row, key);
  return value.is_null() ? std::string(otherwise) : shown(value);
}

double number_field(const json& row, const char* key, double otherwise) {
  const json& value = field(row, key);
  return value.is_number() ? value.get<double>() : otherwise;
}

bool flag_field(const json& row, const char* key, bool otherwise) {
  const json& value = field(row, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::string digits_field(const json& row, const char* key) {
  const json& value = field(row, key);
  return value.is_number() ? fmt::format("{:.0f}", value.get<double>()) : "?";
}

std::string shown(const json& value) {
  return printable(value.is_string() ? value.get<std::string>() : dumped(value, -1));
}

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace sluice::control
