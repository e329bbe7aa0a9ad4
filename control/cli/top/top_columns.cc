// SPDX-License-Identifier: BSD-3-Clause
// Columns of the five tables, and how a cell is written.
#include "control/cli/top/top_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/common/api_answer.h"
#include "control/common/human.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Kind = TopColumn::Kind;

constexpr TopColumn kBackends[] = {
    {"BACKEND", "address", 21, Kind::kText},      {"SERVICE", "service", 9, Kind::kText},
    {"STATE", "condition", 9, Kind::kState},      {"NEW/S", "connections_per_s", 6, Kind::kRate},
    {"OPEN", "active", 7, Kind::kCount},          {"SYN-ACK", "handshake_p50_ms", 7, Kind::kMs},
    {"IN b/s", "bytes_in_per_s", 7, Kind::kBits}, {"OUT b/s", "bytes_out_per_s", 7, Kind::kBits},
    {"CHECK", "check_usual_ms", 7, Kind::kMs},    {"REFUSED/S", "refused_per_s", 9, Kind::kRate},
    {"RESETS/S", "resets_per_s", 8, Kind::kRate}, {"TIMEOUTS", "timeouts", 8, Kind::kCount},
    {"HEALS", "heals", 8, Kind::kCount},          {"WEIGHT", "weight", 6, Kind::kCount},
    {"IN ALL", "connections", 11, Kind::kCount},
};
constexpr TopColumn kServices[] = {
    {"SERVICE", "name", 15, Kind::kText},           {"VIP", "vip", 21, Kind::kText},
    {"UP", "backends_up", 4, Kind::kCount},         {"OF", "backends", 4, Kind::kCount},
    {"NEW/S", "connections_per_s", 7, Kind::kRate}, {"OPEN", "active", 7, Kind::kCount},
    {"IN b/s", "bytes_in_per_s", 7, Kind::kBits},   {"OUT b/s", "bytes_out_per_s", 8, Kind::kBits},
    {"REFUSED/S", "refused_per_s", 9, Kind::kRate}, {"IN ALL", "connections", 11, Kind::kCount},
    {"SCHEDULER", "scheduler", 18, Kind::kText},
};
constexpr TopColumn kPorts[] = {
    {"TOWARDS", "backend", 21, Kind::kText},
    {"FULLEST", "fullest_percent", 7, Kind::kFull},
    {"ENDS IN", "ends_in_s", 7, Kind::kEnd},
    {"IN USE", "in_use", 7, Kind::kCount},
    {"RESTING", "resting", 7, Kind::kCount},
    {"FREE", "free", 7, Kind::kCount},
    {"TAKEN/S", "taken_per_s", 7, Kind::kRate},
    {"EXHAUSTED", "exhausted", 9, Kind::kCount},
    {"FITTED/S", "reuse_fitted_per_s", 8, Kind::kRate},
    {"FRESH/S", "fresh_per_s", 7, Kind::kRate},
    {"CLEAN/S", "reuse_clean_per_s", 7, Kind::kRate},
    {"RESTED/S", "reuse_rested_per_s", 8, Kind::kRate},
    {"NATURAL/S", "reuse_natural_per_s", 9, Kind::kRate},
    {"HEALS", "heals", 7, Kind::kCount},
    {"LOCAL POOL", "local_pool", 11, Kind::kText},
};
constexpr TopColumn kWorkers[] = {
    {"LCORE", "lcore", 6, Kind::kCount},          {"BUSY", "busy_percent", 6, Kind::kFull},
    {"FLOWS", "flows", 10, Kind::kCount},         {"OF", "flows_max", 10, Kind::kCount},
    {"FULL IN", "ends_in_s", 7, Kind::kEnd},      {"PACKETS/S", "packets_in_per_s", 9, Kind::kRate},
    {"IN b/s", "bytes_in_per_s", 7, Kind::kBits}, {"OUT b/s", "bytes_out_per_s", 7, Kind::kBits},
    {"DROPS/S", "drops_per_s", 8, Kind::kRate},   {"DROPS", "drops", 11, Kind::kCount},
};
constexpr TopColumn kDrops[] = {
    {"REASON", "name", 21, Kind::kText},
    {"NOW/S", "value_per_s", 7, Kind::kRate},
    {"IN ALL", "value", 10, Kind::kCount},
    {"WHAT IT MEANS", "help", 38, Kind::kText},
};

constexpr TopTable kTopTables[] = {
    {TopView::kBackends, "backends", kBackends}, {TopView::kServices, "services", kServices},
    {TopView::kPorts, "pools", kPorts},          {TopView::kWorkers, "workers", kWorkers},
    {TopView::kDrops, "drops", kDrops},
};

std::string rate_text(double value) {
  if (value > 0 && value < 10) return fmt::format("{:.1f}", value);
  return value < 100000 ? human_count(value) : human_bits(value);
}

Style style_of_cell(const json& row, const TopColumn& column, double value) {
  if (column.kind == Kind::kState) {
    return style_of(severity_field(row));
  }
  if (column.kind == Kind::kFull) {
    return value > 95 ? Style::kBad : value > 80 ? Style::kWarn : Style::kPlain;
  }
  if (column.kind == Kind::kEnd) return flag_field(row, "ends_soon") ? Style::kWarn : Style::kPlain;
  return value == 0 && !column.is_text() ? Style::kDim : Style::kPlain;
}

std::string text_of(const json& value, const TopColumn& column) {
  if (value.is_string()) return shown(value);
  if (!value.is_number()) return "-";
  const double number = value.get<double>();
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

}  // namespace

Style style_of(Severity severity) {
  constexpr Style kStyles[] = {Style::kGood, Style::kWarn, Style::kBad};
  return kStyles[static_cast<size_t>(severity)];
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

Span top_cell(const json& row, const TopColumn& column, size_t width) {
  const json& value = field(row, column.key);
  const double number = value.is_number() ? value.get<double>() : 0;
  return {fit_text(text_of(value, column), width, column.is_text()),
          style_of_cell(row, column, number)};
}

}  // namespace sluice::control
