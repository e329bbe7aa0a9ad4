// SPDX-License-Identifier: BSD-3-Clause
// The tables of `sluicectl top`: their columns, in the order in which a narrow screen gives them
// up.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/cli/row_cell.h"
#include "control/cli/top/top_view.h"
#include "control/common/severity.h"

namespace sluice::control {

struct TopColumn {
  const char* title;
  size_t width;
  enum class Kind : uint8_t {
    kText,
    kCount,
    kRate,
    kBits,
    kMs,
    kState,
    kFull,
    kEnd,
    kAddress
  } kind;

  bool is_text() const {
    return kind == Kind::kText || kind == Kind::kState || kind == Kind::kAddress;
  }
};

// A row of the status under the columns of its table.
struct TopRow {
  std::vector<CellValue> cells;
  Severity severity = Severity::kOk;
  bool ends_soon = false;
  std::string words;  // all its text, for a filter
};

struct TopTable {
  TopView view;
  std::vector<TopColumn> columns;
  std::vector<TopRow> (*rows)(const nlohmann::json& status);  // without what never happened
};

const TopTable& top_table(TopView view);

// How what is so severe is painted.
Style style_of(Severity severity);
// The same for a figure, which has a colour only where something is wrong.
Style style_of_gauge(Severity severity);

// What the column takes of a screen so wide: of addresses as much as the longest needs, as far as
// others keep the greater part.
size_t width_of(const TopColumn& column, size_t number, const std::vector<TopRow>& rows,
                size_t screen_width);

// A cell, cut to the column's width and aligned.
Span top_cell(const TopRow& row, const CellValue& value, const TopColumn& column, size_t width);

// ASCII, so that bytes are columns; longer text ends in "~".
std::string fit_text(const std::string& text, size_t width, bool left);

}  // namespace sluice::control
