// SPDX-License-Identifier: BSD-3-Clause
// One cell of each type.
#include "control/cli/row_cell.h"

namespace sluice::control {
namespace {

CellValue number_cell(uint64_t value) {
  return static_cast<double>(value);
}

}  // namespace

CellValue cell_of(Flag value, CellPart) {
  return value;
}
CellValue cell_of(Whole value, CellPart) {
  return number_cell(value);
}
CellValue cell_of(Signed value, CellPart) {
  return static_cast<double>(value);
}
CellValue cell_of(Number value, CellPart) {
  return value;
}
CellValue cell_of(const String& value, CellPart) {
  return value;
}
CellValue cell_of(const OptWhole& value, CellPart) {
  return value ? number_cell(*value) : CellValue();
}
CellValue cell_of(const OptNumber& value, CellPart) {
  return value ? CellValue(*value) : CellValue();
}
CellValue cell_of(const OptString& value, CellPart) {
  return value ? CellValue(*value) : CellValue();
}
CellValue cell_of(const Watched& value, CellPart part) {
  if (part == CellPart::kValue) return number_cell(value.total);
  return value.per_s ? CellValue(*value.per_s) : CellValue();
}
CellValue cell_of(const Trended& value, CellPart) {
  return number_cell(value.value);
}
CellValue cell_of(Severity value, CellPart) {
  return std::string(to_string(value));
}
CellValue cell_of(const Buckets&, CellPart) {
  return {};
}
CellValue cell_of(const NamedCounts&, CellPart) {
  return {};
}

std::string fit_address(const std::string& text, size_t width) {
  if (text.size() <= width) return text + std::string(width - text.size(), ' ');
  if (width == 0) return "";
  const size_t head = (width - 1) / 2;
  return text.substr(0, head) + "~" + text.substr(text.size() - (width - 1 - head));
}

}  // namespace sluice::control
