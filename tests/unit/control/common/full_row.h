// SPDX-License-Identifier: BSD-3-Clause
// Rows with something in every field.
#pragma once

#include "control/common/row_fields.h"

namespace sluice::control::test {

// Another value than before, of each type; with a number that nobody else has.
inline void change(Flag& value, uint64_t) {
  value = !value;
}
inline void change(Whole& value, uint64_t number) {
  value += number;
}
inline void change(Signed& value, uint64_t number) {
  value -= static_cast<int64_t>(number);
}
inline void change(Number& value, uint64_t number) {
  value += static_cast<double>(number);
}
inline void change(String& value, uint64_t number) {
  value += "text " + std::to_string(number);
}
inline void change(OptWhole& value, uint64_t number) {
  value = value.value_or(0) + number;
}
inline void change(OptNumber& value, uint64_t number) {
  value = value.value_or(0) + static_cast<double>(number);
}
inline void change(OptString& value, uint64_t number) {
  value = value.value_or("") + "text " + std::to_string(number);
}
inline void change(Watched& value, uint64_t number) {
  value = {value.total + number, 1.5, 7};
}
inline void change(Trended& value, uint64_t number) {
  value = {value.value + number, -0.5};
}
inline void change(Severity& value, uint64_t) {
  value = value == Severity::kWarning ? Severity::kCritical : Severity::kWarning;
}
inline void change(Buckets& value, uint64_t number) {
  value.push_back(number);
}
inline void change(NamedCounts& value, uint64_t number) {
  value["name"] += number;
}

template <class Row>
Row full_row() {
  Row row;
  uint64_t number = 1000;
  for_each_field<Row>([&](const RowField<Row>&, auto member) { change(row.*member, ++number); });
  return row;
}

}  // namespace sluice::control::test
