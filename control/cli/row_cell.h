// SPDX-License-Identifier: BSD-3-Clause
// A field of an answered row as a cell of a table: nothing where the answer had none.
#pragma once

#include <string>
#include <variant>

#include "control/common/row_json.h"

namespace sluice::control {

using CellValue = std::variant<std::monostate, double, bool, std::string>;

// kPerSecond: of a counter how fast it grows; of any other field the field.
enum class CellPart : bool { kValue, kPerSecond };

CellValue cell_of(Flag value, CellPart part);
CellValue cell_of(Whole value, CellPart part);
CellValue cell_of(Signed value, CellPart part);
CellValue cell_of(Number value, CellPart part);
CellValue cell_of(const String& value, CellPart part);
CellValue cell_of(const OptWhole& value, CellPart part);
CellValue cell_of(const OptNumber& value, CellPart part);
CellValue cell_of(const OptString& value, CellPart part);
CellValue cell_of(const Watched& value, CellPart part);
CellValue cell_of(const Trended& value, CellPart part);
CellValue cell_of(Severity value, CellPart part);
// These are for scripts: no table has them.
CellValue cell_of(const Buckets& value, CellPart part);
CellValue cell_of(const NamedCounts& value, CellPart part);

// An address and a port, to the left of a column; one that is too long is cut in the middle ("~"):
// its end tells it from its neighbours.
std::string fit_address(const std::string& text, size_t width);

template <class Row>
CellValue cell_of(const AnsweredRow<Row>& answered, const Member<Row>& member,
                  CellPart part = CellPart::kValue) {
  if (part == CellPart::kValue && !answered.has[index_of<Row>(member)]) return {};
  return std::visit([&](auto field) { return cell_of(answered.row.*field, part); }, member);
}

}  // namespace sluice::control
