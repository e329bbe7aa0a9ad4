// SPDX-License-Identifier: BSD-3-Clause
// One list of columns for each thing that can be shown.
#include "control/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "control/common/api_answer.h"
#include "control/common/human.h"

namespace sluice::control {
namespace {

using nlohmann::json;

enum class Format { kText, kCount, kBytes, kPercent, kMs, kFineMs, kSigned };

// kWide: only in a wide table. kFree: text that may be cut where the line would be too long.
enum class ColumnPlace { kAlways, kWide, kFree };

struct Column {
  const char* title;
  const char* key;
  Format format;
  ColumnPlace place = ColumnPlace::kAlways;
  const char* older_key = nullptr;  // what an older sluice has in its stead
};

struct Table {
  std::string name;
  std::vector<Column> columns;
};

const std::vector<Table> kTables = {
    {"services",
     {{"SERVICE", "name", Format::kText},
      {"VIP", "vip", Format::kText},
      {"PROTOCOL", "protocol", Format::kText},
      {"SCHEDULER", "scheduler", Format::kText},
      {"LOCAL POOL", "local_pool", Format::kText},
      {"TIMESTAMPS", "tcp_timestamps", Format::kText},
      {"HEALTH CHECK", "health_check", Format::kText},
      {"BACKENDS", "backends", Format::kCount},
      {"ACTIVE", "active", Format::kCount},
      {"CONNECTIONS", "connections", Format::kCount},
      {"REFUSED", "refused", Format::kCount}}},
    {"backends",
     {{"SERVICE", "service", Format::kText, ColumnPlace::kFree},
      {"BACKEND", "address", Format::kText},
      {"WEIGHT", "weight", Format::kCount},
      {"STATE", "state", Format::kText},
      {"HEALTH", "health", Format::kText, ColumnPlace::kWide},
      {"OVERRIDE", "override", Format::kText, ColumnPlace::kWide},
      {"IN FILE", "weight_configured", Format::kCount, ColumnPlace::kWide},
      {"HANDSHAKE", "handshake_p50_ms", Format::kFineMs},
      {"99%", "handshake_p99_ms", Format::kFineMs, ColumnPlace::kWide},
      {"CHECK", "check_usual_ms", Format::kMs, ColumnPlace::kWide},
      {"ACTIVE", "active", Format::kCount},
      {"CONNECTIONS", "connections", Format::kCount},
      {"PACKETS IN", "packets_in", Format::kCount, ColumnPlace::kWide},
      {"OUT", "packets_out", Format::kCount, ColumnPlace::kWide},
      {"BYTES IN", "bytes_in", Format::kBytes, ColumnPlace::kWide},
      {"OUT", "bytes_out", Format::kBytes, ColumnPlace::kWide},
      {"REFUSED", "refused", Format::kCount},
      {"RESETS", "resets", Format::kCount, ColumnPlace::kWide},
      {"TIMEOUTS", "timeouts", Format::kCount, ColumnPlace::kWide},
      {"UNANSWERED", "unanswered", Format::kCount, ColumnPlace::kWide},
      {"HEALS", "heals", Format::kCount, ColumnPlace::kWide},
      {"WHY", "why", Format::kText, ColumnPlace::kFree, "health_reason"}}},
    {"drain",
     {{"STATE", "state", Format::kText},
      {"NEW FLOWS", "syns", Format::kText},
      {"FOR", "for_ms", Format::kMs},
      {"FLOWS LEFT", "remaining", Format::kCount},
      {"REFUSED", "refused", Format::kCount}}},
    {"flows",
     {{"CLIENT", "client", Format::kText},
      {"VIP", "vip", Format::kText},
      {"LOCAL", "local", Format::kText},
      {"BACKEND", "backend", Format::kText},
      {"STATE", "state", Format::kText},
      {"AGE", "age_ms", Format::kMs},
      {"IDLE", "idle_ms", Format::kMs},
      {"TS OFFSET", "ts_offset", Format::kSigned},
      {"SEQ OFFSET", "seq_offset", Format::kSigned},
      {"BYTES IN", "bytes_in", Format::kBytes},
      {"OUT", "bytes_out", Format::kBytes}}},
    {"pools",
     {{"LOCAL POOL", "local_pool", Format::kText},
      {"SERVICES", "services", Format::kText},
      {"LOCAL", "local", Format::kText},
      {"BACKEND", "backend", Format::kText},
      {"WORKER", "worker", Format::kCount},
      {"PORTS", "ports", Format::kCount},
      {"FREE", "free", Format::kCount},
      {"RESTING", "resting", Format::kCount},
      {"IN USE", "in_use", Format::kCount},
      {"PEAK", "peak", Format::kCount},
      {"TAKEN", "taken", Format::kCount},
      {"FRESH", "fresh", Format::kCount},
      {"CLEAN", "reuse_clean", Format::kCount},
      {"RESTED", "reuse_rested", Format::kCount},
      {"NATURAL", "reuse_natural", Format::kCount},
      {"TS FIX", "ts_fixes", Format::kCount},
      {"SEQ FIX", "seq_fixes", Format::kCount},
      {"HEALS", "heals", Format::kCount},
      {"AVOIDED", "avoided", Format::kCount},
      {"EXHAUSTED", "exhausted", Format::kCount}}},
    {"workers",
     {{"LCORE", "lcore", Format::kCount},
      {"BUSY", "busy_percent", Format::kPercent},
      {"FLOWS", "flows", Format::kCount},
      {"OF", "flows_max", Format::kCount},
      {"BUFFERS", "buffers_used", Format::kCount},
      {"PACKETS IN", "packets_in", Format::kCount},
      {"OUT", "packets_out", Format::kCount},
      {"BYTES IN", "bytes_in", Format::kBytes},
      {"OUT", "bytes_out", Format::kBytes},
      {"DROPS", "drops", Format::kCount},
      {"HANDED OFF", "handed_off", Format::kCount},
      {"TAKEN OVER", "taken_over", Format::kCount},
      {"POLLS", "polls", Format::kCount},
      {"STEERING", "steering", Format::kText},
      {"QUEUES", "queues", Format::kText}}},
    {"interfaces",
     {{"INTERFACE", "name", Format::kText},
      {"DEVICE", "device", Format::kText},
      {"LINK", "link", Format::kText},
      {"PACKETS IN", "packets_in", Format::kCount},
      {"OUT", "packets_out", Format::kCount},
      {"BYTES IN", "bytes_in", Format::kBytes},
      {"OUT", "bytes_out", Format::kBytes},
      {"MISSED", "missed", Format::kCount},
      {"ERRORS IN", "rx_errors", Format::kCount},
      {"OUT", "tx_errors", Format::kCount},
      {"NO BUFFER", "no_buffer", Format::kCount},
      {"LINK IS DOWN BECAUSE", "link_reason", Format::kText}}},
    {"program",
     {{"VERSION", "version", Format::kText},
      {"DPDK", "dpdk", Format::kText},
      {"PID", "pid", Format::kCount},
      {"UP FOR", "uptime_ms", Format::kMs},
      {"SERVICES", "services", Format::kCount},
      {"FLOW INDEX", "flow_index", Format::kText},
      {"OVERRIDES", "overrides", Format::kCount},
      {"DRAINING", "draining", Format::kText},
      {"RELOADS", "reloads", Format::kCount},
      {"REFUSED", "reloads_failed", Format::kCount},
      {"LOOP/S", "loop_iterations_per_s", Format::kCount},
      {"BUSY", "loop_busy_percent", Format::kPercent}}},
    {"counters",
     {{"COUNTER", "name", Format::kText},
      {"VALUE", "value", Format::kCount},
      {"WHAT IT COUNTS", "help", Format::kText}}},
};

std::string cell(const json& row, const Column& column) {
  const bool older = column.older_key != nullptr && field(row, column.key).is_null();
  const json& value = field(row, older ? column.older_key : column.key);
  if (value.is_null()) return "-";
  if (!value.is_number()) return shown(value);
  const double number = value.get<double>();
  switch (column.format) {
    case Format::kBytes:
      return human_bytes(number);
    case Format::kPercent:
      return fmt::format("{:.1f}%", number);
    case Format::kMs:
      return human_ms(number);
    case Format::kFineMs:
      return human_fine_ms(number);
    case Format::kSigned:
      return number == 0 ? "-" : fmt::format("{:+.0f}", number);
    default:
      return human_count(number);
  }
}

using Columns = std::vector<Column>;
using Grid = std::vector<std::vector<std::string>>;

// Takes what is too much for a line from the text that may be cut, the widest first; a little of
// each remains.
void shorten(std::vector<size_t>& widths, const Columns& columns) {
  constexpr size_t kLeftMin = 8;
  size_t total = 2 * (columns.size() - 1);
  for (const size_t width : widths) total += width;
  while (total > kTerminalColumns) {
    size_t widest = columns.size();
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].place != ColumnPlace::kFree || widths[c] <= kLeftMin) continue;
      if (widest == columns.size() || widths[c] > widths[widest]) widest = c;
    }
    if (widest == columns.size()) return;
    --widths[widest];
    --total;
  }
}

std::string fitted(const std::string& text, size_t width, bool left) {
  if (text.size() > width) return text.substr(0, width - 1) + "~";
  return left ? fmt::format("{:<{}}", text, width) : fmt::format("{:>{}}", text, width);
}

std::string align(const Grid& grid, const Columns& columns, Width width) {
  std::vector<size_t> widths(columns.size());
  for (const auto& row : grid) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  if (width == Width::kTerminal) shorten(widths, columns);
  std::string out;
  for (const auto& row : grid) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += fitted(row[c], widths[c], columns[c].format == Format::kText) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

Columns columns_of(const Table& table, Width width) {
  Columns columns = table.columns;
  if (width == Width::kTerminal) {
    std::erase_if(columns, [](const Column& column) { return column.place == ColumnPlace::kWide; });
  }
  return columns;
}

// Where packets came from, and what became of them: both sides are the same.
std::string packet_balance(const json& packets) {
  const auto number = [&](const char* key) { return with_commas(packets.value(key, 0.0)); };
  return fmt::format(
      "\npackets: {} received + {} made + {} from the kernel + {} of other workers\n"
      "       = {} sent + {} dropped + {} consumed + {} to the kernel + {} to other workers + {} "
      "waiting\n       unaccounted: {}\n",
      number("received"), number("made"), number("from_kernel"), number("taken_over"),
      number("sent"), number("dropped"), number("consumed"), number("to_kernel"),
      number("handed_on"), number("waiting"), number("unaccounted"));
}

}  // namespace

const std::vector<std::string>& table_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Table& table : kTables) all.push_back(table.name);
    return all;
  }();
  return names;
}

std::string render_table(std::string_view what, const json& result, Width width) {
  auto table = std::ranges::find(kTables, what, &Table::name);
  if (table == kTables.end() || !result.is_object() || !result.contains(table->name)) {
    return fmt::format("nothing to show for {}\n", what);
  }
  const json& rows = list_field(result, table->name.c_str());
  if (rows.empty()) return fmt::format("no {}\n", what);
  const Columns columns = columns_of(*table, width);
  Grid grid(1);
  for (const Column& column : columns) grid[0].push_back(column.title);
  for (const json& row : rows) {
    if (!field(row, "alias_of").is_null()) continue;  // an old name, kept for scripts
    auto& cells = grid.emplace_back();
    for (const Column& column : columns) cells.push_back(cell(row, column));
  }
  std::string out = align(grid, columns, width);
  if (const double total = number_field(result, "total");
      total > static_cast<double>(rows.size())) {
    out += fmt::format("... {} of {}\n", with_commas(static_cast<double>(rows.size())),
                       with_commas(total));
  }
  if (const auto packets = result.find("packets"); packets != result.end()) {
    if (packets->is_object()) out += packet_balance(*packets);
  }
  return out;
}

}  // namespace sluice::control
