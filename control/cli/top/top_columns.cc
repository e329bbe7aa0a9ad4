// SPDX-License-Identifier: BSD-3-Clause
// Columns of the five tables, and how a cell is written.
#include "control/cli/top/top_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "control/common/human.h"
#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Kind = TopColumn::Kind;

// A column and where its cells come from. A rate, and bits, of a counter: how fast it grows.
template <class Row>
struct FieldColumn {
  TopColumn column;
  Member<Row> member;
};

constexpr FieldColumn<BackendRow> kBackends[] = {
    {{"BACKEND", 21, Kind::kAddress}, &BackendRow::address},
    {{"SERVICE", 9, Kind::kText}, &BackendRow::service},
    {{"STATE", 9, Kind::kState}, &BackendRow::condition},
    {{"NEW/S", 6, Kind::kRate}, &BackendRow::connections},
    {{"OPEN", 7, Kind::kCount}, &BackendRow::active},
    {{"SYN-ACK", 7, Kind::kMs}, &BackendRow::handshake_p50_ms},
    {{"IN b/s", 7, Kind::kBits}, &BackendRow::bytes_in},
    {{"OUT b/s", 7, Kind::kBits}, &BackendRow::bytes_out},
    {{"CHECK", 7, Kind::kMs}, &BackendRow::check_usual_ms},
    {{"REFUSED/S", 9, Kind::kRate}, &BackendRow::refused},
    {{"RESETS/S", 8, Kind::kRate}, &BackendRow::resets},
    {{"TIMEOUTS", 8, Kind::kCount}, &BackendRow::timeouts},
    {{"HEALS", 8, Kind::kCount}, &BackendRow::heals},
    {{"WEIGHT", 6, Kind::kCount}, &BackendRow::weight},
    {{"IN ALL", 11, Kind::kCount}, &BackendRow::connections},
};

constexpr FieldColumn<ServiceRow> kServices[] = {
    {{"SERVICE", 15, Kind::kText}, &ServiceRow::name},
    {{"VIP", 21, Kind::kAddress}, &ServiceRow::vip},
    {{"UP", 4, Kind::kCount}, &ServiceRow::backends_up},
    {{"OF", 4, Kind::kCount}, &ServiceRow::backends},
    {{"NEW/S", 7, Kind::kRate}, &ServiceRow::connections},
    {{"OPEN", 7, Kind::kCount}, &ServiceRow::active},
    {{"IN b/s", 7, Kind::kBits}, &ServiceRow::bytes_in_per_s},
    {{"OUT b/s", 8, Kind::kBits}, &ServiceRow::bytes_out_per_s},
    {{"REFUSED/S", 9, Kind::kRate}, &ServiceRow::refused},
    {{"IN ALL", 11, Kind::kCount}, &ServiceRow::connections},
    {{"SCHEDULER", 18, Kind::kText}, &ServiceRow::scheduler},
};

constexpr FieldColumn<PoolSumRow> kPorts[] = {
    {{"TOWARDS", 21, Kind::kAddress}, &PoolSumRow::backend},
    {{"FULLEST", 7, Kind::kFull}, &PoolSumRow::fullest_percent},
    {{"ENDS IN", 7, Kind::kEnd}, &PoolSumRow::ends_in_s},
    {{"IN USE", 7, Kind::kCount}, &PoolSumRow::in_use},
    {{"TIME_WAIT", 9, Kind::kCount}, &PoolSumRow::time_wait},
    {{"AVAILABLE", 9, Kind::kCount}, &PoolSumRow::available},
    {{"TAKEN/S", 7, Kind::kRate}, &PoolSumRow::taken},
    {{"EXHAUSTED", 9, Kind::kCount}, &PoolSumRow::exhausted},
    {{"REBASED/S", 9, Kind::kRate}, &PoolSumRow::reuse_rebased},
    {{"FRESH/S", 7, Kind::kRate}, &PoolSumRow::fresh},
    {{"REUSED/S", 8, Kind::kRate}, &PoolSumRow::reuse_available},
    {{"RESTED/S", 8, Kind::kRate}, &PoolSumRow::reuse_rested},
    {{"NATURAL/S", 9, Kind::kRate}, &PoolSumRow::reuse_natural},
    {{"HEALS", 7, Kind::kCount}, &PoolSumRow::heals},
    {{"LOCAL POOL", 11, Kind::kText}, &PoolSumRow::local_pool},
};

constexpr FieldColumn<WorkerRow> kWorkers[] = {
    {{"LCORE", 6, Kind::kCount}, &WorkerRow::lcore},
    {{"BUSY", 6, Kind::kFull}, &WorkerRow::busy_percent},
    {{"FLOWS", 10, Kind::kCount}, &WorkerRow::flows},
    {{"OF", 10, Kind::kCount}, &WorkerRow::flows_max},
    {{"FULL IN", 7, Kind::kEnd}, &WorkerRow::ends_in_s},
    {{"PACKETS/S", 9, Kind::kRate}, &WorkerRow::packets_in},
    {{"IN b/s", 7, Kind::kBits}, &WorkerRow::bytes_in},
    {{"OUT b/s", 7, Kind::kBits}, &WorkerRow::bytes_out},
    {{"DROPS/S", 8, Kind::kRate}, &WorkerRow::drops},
    {{"DROPS", 11, Kind::kCount}, &WorkerRow::drops},
};

constexpr FieldColumn<CounterRow> kDrops[] = {
    {{"REASON", 21, Kind::kText}, &CounterRow::name},
    {{"NOW/S", 7, Kind::kRate}, &CounterRow::value},
    {{"IN ALL", 10, Kind::kCount}, &CounterRow::value},
    {{"WHAT IT MEANS", 38, Kind::kText}, &CounterRow::help},
};

std::string rate_text(double value) {
  if (value > 0 && value < 10) return fmt::format("{:.1f}", value);
  return value < 100000 ? human_count(value) : human_bits(value);
}

bool ends_soon_of(const PoolSumRow& row) {
  return row.ends_soon;
}
bool ends_soon_of(const WorkerRow& row) {
  return row.ends_soon;
}
template <class Row>
bool ends_soon_of(const Row&) {
  return false;
}

template <class Row>
bool has_happened(const Row&) {
  return true;
}
bool has_happened(const CounterRow& row) {
  return row.value.total > 0;
}

template <class Row>
Severity severity_shown(const Row& row) {
  return row.severity;
}
// An older sluice says what a drop would mean if it happened.
Severity severity_shown(const CounterRow& row) {
  return row.value.recent > 0 ? row.severity : Severity::kOk;
}

template <class Row>
std::string words_of(const Row& row) {
  std::string words;
  for_each_field<Row>([&](const RowField<Row>&, auto member) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(row.*member)>, String>) {
      words += row.*member + '\n';
    }
  });
  return words;
}

template <class Row, const auto& kColumns>
std::vector<TopRow> top_rows(const json& status, const char* key) {
  std::vector<TopRow> rows;
  for (const AnsweredRow<Row>& answered : rows_of<Row>(status, key)) {
    if (!has_happened(answered.row)) continue;
    TopRow& row = rows.emplace_back();
    row.severity = severity_shown(answered.row);
    row.ends_soon = ends_soon_of(answered.row);
    row.words = words_of(answered.row);
    for (const auto& [column, member] : kColumns) {
      const bool grows = column.kind == Kind::kRate || column.kind == Kind::kBits;
      row.cells.push_back(
          cell_of(answered, member, grows ? CellPart::kPerSecond : CellPart::kValue));
    }
  }
  return rows;
}

template <class Row, const auto& kColumns>
TopTable table_of(TopView view, std::vector<TopRow> (*rows)(const json& status)) {
  TopTable table{view, {}, rows};
  for (const auto& [column, member] : kColumns) table.columns.push_back(column);
  return table;
}

const TopTable kTopTables[] = {
    table_of<BackendRow, kBackends>(
        TopView::kBackends,
        [](const json& status) { return top_rows<BackendRow, kBackends>(status, "backends"); }),
    table_of<ServiceRow, kServices>(
        TopView::kServices,
        [](const json& status) { return top_rows<ServiceRow, kServices>(status, "services"); }),
    table_of<PoolSumRow, kPorts>(
        TopView::kPorts,
        [](const json& status) { return top_rows<PoolSumRow, kPorts>(status, "pools"); }),
    table_of<WorkerRow, kWorkers>(
        TopView::kWorkers,
        [](const json& status) { return top_rows<WorkerRow, kWorkers>(status, "workers"); }),
    table_of<CounterRow, kDrops>(
        TopView::kDrops,
        [](const json& status) { return top_rows<CounterRow, kDrops>(status, "drops"); }),
};

std::string number_cell_text(double number, const TopColumn& column) {
  switch (column.kind) {
    case Kind::kRate:
      return rate_text(number);
    case Kind::kBits:
      return human_bits(8 * number);
    case Kind::kFull:
      return fmt::format("{:.0f} %", number);
    case Kind::kMs:
      return human_fine_ms(number);
    case Kind::kEnd:
      return number > 86400 ? "-" : human_ms(1000 * number);
    default:
      return number < 1e6 ? human_count(number) : human_bits(number);
  }
}

Style style_of_cell(const TopRow& row, const CellValue& value, const TopColumn& column) {
  if (column.kind == Kind::kState) return style_of(row.severity);
  if (column.kind == Kind::kFull) return style_of_gauge(row.severity);
  if (column.kind == Kind::kEnd) return row.ends_soon ? Style::kWarn : Style::kPlain;
  const auto* number = std::get_if<double>(&value);
  const bool nothing = number == nullptr || *number == 0;
  return nothing && !column.is_text() ? Style::kDim : Style::kPlain;
}

}  // namespace

Style style_of(Severity severity) {
  constexpr Style kStyles[] = {Style::kGood, Style::kWarn, Style::kBad};
  return kStyles[static_cast<size_t>(severity)];
}

Style style_of_gauge(Severity severity) {
  return severity == Severity::kOk ? Style::kPlain : style_of(severity);
}

const TopTable& top_table(TopView view) {
  return *std::ranges::find(kTopTables, view, &TopTable::view);
}

std::string fit_text(const std::string& text, size_t width, bool left) {
  if (text.size() > width) {
    return width == 0 ? "" : text.substr(0, width - 1) + "~";
  }
  const std::string padding(width - text.size(), ' ');
  return left ? text + padding : padding + text;
}

size_t width_of(const TopColumn& column, size_t number, const std::vector<TopRow>& rows,
                size_t screen_width) {
  if (column.kind != Kind::kAddress) return column.width;
  size_t longest = 0;
  for (const TopRow& row : rows) {
    const auto* text = std::get_if<std::string>(&row.cells[number]);
    if (text != nullptr) longest = std::max(longest, text->size());
  }
  return std::max(column.width, std::min(longest, screen_width * 3 / 8));
}

Span top_cell(const TopRow& row, const CellValue& value, const TopColumn& column, size_t width) {
  const auto* text = std::get_if<std::string>(&value);
  const auto* number = std::get_if<double>(&value);
  const std::string shown = text != nullptr     ? *text
                            : number != nullptr ? number_cell_text(*number, column)
                                                : "-";
  const bool is_address = column.kind == Kind::kAddress;
  return {is_address ? fit_address(shown, width) : fit_text(shown, width, column.is_text()),
          style_of_cell(row, value, column)};
}

}  // namespace sluice::control
