// SPDX-License-Identifier: BSD-3-Clause
// Rows to JSON and back. What a sluice of another version has more is skipped, what it has not is
// remembered as missing, and a field of a type that nobody expected is missing as well.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "control/common/row_fields.h"

namespace sluice::control {

// Under its name and, for one version, under its old one (row_aliases.h).
void put_field(nlohmann::json& row, const char* name, Flag value);
void put_field(nlohmann::json& row, const char* name, Whole value);
void put_field(nlohmann::json& row, const char* name, Signed value);
void put_field(nlohmann::json& row, const char* name, Number value);
void put_field(nlohmann::json& row, const char* name, const String& value);
void put_field(nlohmann::json& row, const char* name, const OptWhole& value);
void put_field(nlohmann::json& row, const char* name, const OptNumber& value);
void put_field(nlohmann::json& row, const char* name, const OptString& value);
void put_field(nlohmann::json& row, const char* name, const Watched& value);
void put_field(nlohmann::json& row, const char* name, const Trended& value);
void put_field(nlohmann::json& row, const char* name, Severity value);
void put_field(nlohmann::json& row, const char* name, const Buckets& value);
void put_field(nlohmann::json& row, const char* name, const NamedCounts& value);

// False, and `value` as it was, where `row` has nothing of the kind. Text comes without control
// characters.
bool read_field(const nlohmann::json& row, const char* name, Flag& value);
bool read_field(const nlohmann::json& row, const char* name, Whole& value);
bool read_field(const nlohmann::json& row, const char* name, Signed& value);
bool read_field(const nlohmann::json& row, const char* name, Number& value);
bool read_field(const nlohmann::json& row, const char* name, String& value);
bool read_field(const nlohmann::json& row, const char* name, OptWhole& value);
bool read_field(const nlohmann::json& row, const char* name, OptNumber& value);
bool read_field(const nlohmann::json& row, const char* name, OptString& value);
bool read_field(const nlohmann::json& row, const char* name, Watched& value);
bool read_field(const nlohmann::json& row, const char* name, Trended& value);
bool read_field(const nlohmann::json& row, const char* name, Severity& value);
bool read_field(const nlohmann::json& row, const char* name, Buckets& value);
bool read_field(const nlohmann::json& row, const char* name, NamedCounts& value);

// `place` kShow leaves out what only the status has.
template <class Row>
nlohmann::json json_of(const Row& row, FieldPlace place) {
  nlohmann::json out = nlohmann::json::object();
  for_each_field<Row>([&](const RowField<Row>& field, auto member) {
    if (field.place <= place) put_field(out, field.name, row.*member);
  });
  return out;
}

template <class Row>
nlohmann::json json_of(const std::vector<Row>& rows, FieldPlace place) {
  nlohmann::json out = nlohmann::json::array();
  for (const Row& row : rows) out.push_back(json_of(row, place));
  return out;
}

// A row as an answer had it.
template <class Row>
struct AnsweredRow {
  Row row;
  std::array<bool, std::size(FieldsOf<Row>::kList)> has{};  // by field
};

template <class Row>
AnsweredRow<Row> row_of(const nlohmann::json& answer) {
  AnsweredRow<Row> out;
  size_t i = 0;
  for_each_field<Row>([&](const RowField<Row>& field, auto member) {
    out.has[i++] = read_field(answer, field.name, out.row.*member);
  });
  return out;
}

// Of `answer[key]`; none where that is no list.
template <class Row>
std::vector<AnsweredRow<Row>> rows_of(const nlohmann::json& answer, const char* key) {
  std::vector<AnsweredRow<Row>> out;
  const auto list = answer.is_object() ? answer.find(key) : answer.end();
  if (list == answer.end() || !list->is_array()) return out;
  for (const nlohmann::json& row : *list) out.push_back(row_of<Row>(row));
  return out;
}

}  // namespace sluice::control
