// SPDX-License-Identifier: BSD-3-Clause
// The tables of `sluicectl top`: their columns, in the order in which a narrow screen gives them
// up.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "control/cli/top/top_view.h"
#include "control/common/finding.h"

namespace sluice::control {

struct TopColumn {
  const char* title;
  const char* key;
  size_t width;
  enum class Kind : uint8_t { kText, kCount, kRate, kBits, kMs, kState, kFull, kEnd } kind;

  bool is_text() const { return kind == Kind::kText || kind == Kind::kState; }
};

struct TopTable {
  TopView view;
  const char* rows;  // of the status
  std::span<const TopColumn> columns;
};

const TopTable& top_table(TopView view);

// How what is so severe is painted.
Style style_of(Severity severity);

// A cell, cut to the column's width and aligned.
Span top_cell(const nlohmann::json& row, const TopColumn& column, size_t width);

// ASCII, so that bytes are columns; longer text ends in "~".
std::string fit_text(const std::string& text, size_t width, bool left);

}  // namespace sluice::control
