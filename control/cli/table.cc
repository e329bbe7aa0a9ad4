// SPDX-License-Identifier: BSD-3-Clause
// One list of columns for each thing that can be shown.
#include "control/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "control/cli/row_cell.h"
#include "control/common/api_answer.h"
#include "control/common/human.h"
#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

using nlohmann::json;

enum class Format { kText, kCount, kBytes, kPercent, kMs, kFineMs, kSigned };

// kWide: only in a wide table. kFree: text that may be cut where the line would be too long.
// kAddress: what may be cut in the middle where that is still not enough.
enum class ColumnPlace { kAlways, kWide, kFree, kAddress };

// A column's head and how its cells are written.
struct Head {
  const char* title;
  Format format;
  ColumnPlace place = ColumnPlace::kAlways;
};
using Heads = std::vector<Head>;

template <class Row>
struct Column {
  const char* title;
  Member<Row> member;
  Format format;
  ColumnPlace place = ColumnPlace::kAlways;
};

constexpr Column<ServiceRow> kServiceRowColumns[] = {
    {"SERVICE", &ServiceRow::name, Format::kText},
    {"VIP", &ServiceRow::vip, Format::kText},
    {"PROTOCOL", &ServiceRow::protocol, Format::kText},
    {"SCHEDULER", &ServiceRow::scheduler, Format::kText},
    {"LOCAL POOL", &ServiceRow::local_pool, Format::kText},
    {"TIMESTAMPS", &ServiceRow::tcp_timestamps, Format::kText},
    {"HEALTH CHECK", &ServiceRow::health_check, Format::kText},
    {"BACKENDS", &ServiceRow::backends, Format::kCount},
    {"ACTIVE", &ServiceRow::active, Format::kCount},
    {"CONNECTIONS", &ServiceRow::connections, Format::kCount},
    {"REFUSED", &ServiceRow::refused, Format::kCount},
};

constexpr Column<BackendRow> kBackendRowColumns[] = {
    {"SERVICE", &BackendRow::service, Format::kText, ColumnPlace::kFree},
    {"BACKEND", &BackendRow::address, Format::kText, ColumnPlace::kAddress},
    {"PROTOCOL", &BackendRow::protocol, Format::kText, ColumnPlace::kWide},
    {"VIP", &BackendRow::vip, Format::kText, ColumnPlace::kWide},
    {"WEIGHT", &BackendRow::weight, Format::kCount},
    {"STATE", &BackendRow::state, Format::kText},
    {"HEALTH", &BackendRow::health, Format::kText, ColumnPlace::kWide},
    {"OVERRIDE", &BackendRow::override, Format::kText, ColumnPlace::kWide},
    {"IN FILE", &BackendRow::weight_configured, Format::kCount, ColumnPlace::kWide},
    {"HANDSHAKE", &BackendRow::handshake_p50_ms, Format::kFineMs},
    {"99%", &BackendRow::handshake_p99_ms, Format::kFineMs, ColumnPlace::kWide},
    {"CHECK", &BackendRow::check_usual_ms, Format::kMs, ColumnPlace::kWide},
    {"ACTIVE", &BackendRow::active, Format::kCount},
    {"CONNECTIONS", &BackendRow::connections, Format::kCount},
    {"PACKETS IN", &BackendRow::packets_in, Format::kCount, ColumnPlace::kWide},
    {"OUT", &BackendRow::packets_out, Format::kCount, ColumnPlace::kWide},
    {"BYTES IN", &BackendRow::bytes_in, Format::kBytes, ColumnPlace::kWide},
    {"OUT", &BackendRow::bytes_out, Format::kBytes, ColumnPlace::kWide},
    {"REFUSED", &BackendRow::refused, Format::kCount},
    {"RESETS", &BackendRow::resets, Format::kCount, ColumnPlace::kWide},
    {"TIMEOUTS", &BackendRow::timeouts, Format::kCount, ColumnPlace::kWide},
    {"UNANSWERED", &BackendRow::unanswered, Format::kCount, ColumnPlace::kWide},
    {"HEALS", &BackendRow::heals, Format::kCount, ColumnPlace::kWide},
    {"WHY", &BackendRow::why, Format::kText, ColumnPlace::kFree},
};

constexpr Column<DrainRow> kDrainRowColumns[] = {
    {"STATE", &DrainRow::state, Format::kText},
    {"NEW FLOWS", &DrainRow::syns, Format::kText},
    {"FOR", &DrainRow::for_ms, Format::kMs},
    {"FLOWS LEFT", &DrainRow::remaining, Format::kCount},
    {"REFUSED", &DrainRow::refused, Format::kCount},
};

constexpr Column<FlowRow> kFlowRowColumns[] = {
    {"PROTOCOL", &FlowRow::protocol, Format::kText},
    {"CLIENT", &FlowRow::client, Format::kText},
    {"VIP", &FlowRow::vip, Format::kText},
    {"LOCAL", &FlowRow::local, Format::kText},
    {"BACKEND", &FlowRow::backend, Format::kText},
    {"STATE", &FlowRow::state, Format::kText},
    {"AGE", &FlowRow::age_ms, Format::kMs},
    {"IDLE", &FlowRow::idle_ms, Format::kMs},
    {"TS OFFSET", &FlowRow::ts_offset, Format::kSigned},
    {"SEQ OFFSET", &FlowRow::seq_offset, Format::kSigned},
    {"BYTES IN", &FlowRow::bytes_in, Format::kBytes},
    {"OUT", &FlowRow::bytes_out, Format::kBytes},
};

constexpr Column<PoolRow> kPoolRowColumns[] = {
    {"LOCAL POOL", &PoolRow::local_pool, Format::kText},
    {"SERVICES", &PoolRow::services, Format::kText},
    {"LOCAL", &PoolRow::local, Format::kText},
    {"BACKEND", &PoolRow::backend, Format::kText},
    {"PROTOCOL", &PoolRow::protocol, Format::kText},
    {"WORKER", &PoolRow::worker, Format::kCount},
    {"PORTS", &PoolRow::ports, Format::kCount},
    {"AVAILABLE", &PoolRow::available, Format::kCount},
    {"TIME_WAIT", &PoolRow::time_wait, Format::kCount},
    {"IN USE", &PoolRow::in_use, Format::kCount},
    {"PEAK", &PoolRow::peak, Format::kCount},
    {"TAKEN", &PoolRow::taken, Format::kCount},
    {"FRESH", &PoolRow::fresh, Format::kCount},
    {"REUSED", &PoolRow::reuse_available, Format::kCount},
    {"RESTED", &PoolRow::reuse_rested, Format::kCount},
    {"NATURAL", &PoolRow::reuse_natural, Format::kCount},
    {"TS ADJUSTS", &PoolRow::tsval_adjusts, Format::kCount},
    {"SEQ ADJUSTS", &PoolRow::sequence_adjusts, Format::kCount},
    {"HEALS", &PoolRow::heals, Format::kCount},
    {"AVOIDED", &PoolRow::avoided, Format::kCount},
    {"EXHAUSTED", &PoolRow::exhausted, Format::kCount},
};

constexpr Column<RefusalRow> kRefusalRowColumns[] = {
    {"REASON", &RefusalRow::reason, Format::kText},
    {"SOURCE", &RefusalRow::source, Format::kText},
    {"REFUSED", &RefusalRow::count, Format::kCount},
    {"AT LEAST", &RefusalRow::at_least, Format::kCount},
    {"SECONDS AGO", &RefusalRow::last_s, Format::kCount},
};

constexpr Column<WorkerRow> kWorkerRowColumns[] = {
    {"LCORE", &WorkerRow::lcore, Format::kCount},
    {"BUSY", &WorkerRow::busy_percent, Format::kPercent},
    {"FLOWS", &WorkerRow::flows, Format::kCount},
    {"OF", &WorkerRow::flows_max, Format::kCount},
    {"HALF-OPEN", &WorkerRow::half_open, Format::kCount},
    {"WHY", &WorkerRow::why_kept, Format::kCount},
    {"BUFFERS", &WorkerRow::buffers_used, Format::kCount},
    {"PACKETS IN", &WorkerRow::packets_in, Format::kCount},
    {"OUT", &WorkerRow::packets_out, Format::kCount},
    {"BYTES IN", &WorkerRow::bytes_in, Format::kBytes},
    {"OUT", &WorkerRow::bytes_out, Format::kBytes},
    {"DROPS", &WorkerRow::drops, Format::kCount},
    {"HANDED OFF", &WorkerRow::handed_off, Format::kCount},
    {"TAKEN OVER", &WorkerRow::taken_over, Format::kCount},
    {"POLLS", &WorkerRow::polls, Format::kCount},
    {"STEERING", &WorkerRow::steering, Format::kText},
    {"QUEUES", &WorkerRow::queues, Format::kText},
};

constexpr Column<StageRow> kStageRowColumns[] = {
    {"WORKER", &StageRow::worker, Format::kCount},
    {"STAGE", &StageRow::stage, Format::kText},
    {"PACKETS", &StageRow::packets, Format::kCount},
    {"CLOCKS A PACKET", &StageRow::clocks, Format::kCount},
};

constexpr Column<InterfaceRow> kInterfaceRowColumns[] = {
    {"INTERFACE", &InterfaceRow::name, Format::kText},
    {"DEVICE", &InterfaceRow::device, Format::kText},
    {"VLAN", &InterfaceRow::vlan, Format::kText},
    {"LINK", &InterfaceRow::link, Format::kText},
    {"PACKETS IN", &InterfaceRow::packets_in, Format::kCount},
    {"OUT", &InterfaceRow::packets_out, Format::kCount},
    {"BYTES IN", &InterfaceRow::bytes_in, Format::kBytes},
    {"OUT", &InterfaceRow::bytes_out, Format::kBytes},
    {"MISSED", &InterfaceRow::missed, Format::kCount},
    {"ERRORS IN", &InterfaceRow::rx_errors, Format::kCount},
    {"OUT", &InterfaceRow::tx_errors, Format::kCount},
    {"NO BUFFER", &InterfaceRow::no_buffer, Format::kCount},
    {"LINK IS DOWN BECAUSE", &InterfaceRow::link_reason, Format::kText},
};

constexpr Column<ProgramRow> kProgramRowColumns[] = {
    {"VERSION", &ProgramRow::version, Format::kText},
    {"DPDK", &ProgramRow::dpdk, Format::kText},
    {"PID", &ProgramRow::pid, Format::kCount},
    {"UP FOR", &ProgramRow::uptime_ms, Format::kMs},
    {"SERVICES", &ProgramRow::services, Format::kCount},
    {"FLOW INDEX", &ProgramRow::flow_index, Format::kText},
    {"OVERRIDES", &ProgramRow::overrides, Format::kCount},
    {"DRAINING", &ProgramRow::draining, Format::kText},
    {"RELOADS", &ProgramRow::reloads, Format::kCount},
    {"REFUSED", &ProgramRow::reloads_failed, Format::kCount},
    {"LOOP/S", &ProgramRow::loop_iterations_per_s, Format::kCount},
    {"BUSY", &ProgramRow::loop_busy_percent, Format::kPercent},
};

constexpr Column<CounterRow> kCounterRowColumns[] = {
    {"COUNTER", &CounterRow::name, Format::kText},
    {"VALUE", &CounterRow::value, Format::kCount},
    {"WHAT IT COUNTS", &CounterRow::help, Format::kText},
};

std::string number_text(double number, Format format) {
  switch (format) {
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

std::string cell_text(const CellValue& value, Format format) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? "-" : number_text(*number, format);
}

using Grid = std::vector<std::vector<std::string>>;

// Takes what is too much for a line from the columns of one place, the widest first; so much of
// each remains. Returns what is too much still.
size_t shorten(std::vector<size_t>& widths, const Heads& columns, ColumnPlace place,
               size_t left_min, size_t too_much) {
  for (; too_much > 0; --too_much) {
    size_t widest = columns.size();
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].place != place || widths[c] <= left_min) continue;
      if (widest == columns.size() || widths[c] > widths[widest]) widest = c;
    }
    if (widest == columns.size()) return too_much;
    --widths[widest];
  }
  return 0;
}

void shorten(std::vector<size_t>& widths, const Heads& columns) {
  constexpr size_t kTextMin = 8;
  constexpr size_t kAddressMin = std::string_view("255.255.255.255:65535").size();
  size_t total = 2 * (columns.size() - 1);
  for (const size_t width : widths) total += width;
  size_t too_much = total - std::min(total, kTerminalColumns);
  too_much = shorten(widths, columns, ColumnPlace::kFree, kTextMin, too_much);
  shorten(widths, columns, ColumnPlace::kAddress, kAddressMin, too_much);
}

std::string fitted(const std::string& text, size_t width, const Head& column) {
  if (column.place == ColumnPlace::kAddress) return fit_address(text, width);
  if (text.size() > width) return text.substr(0, width - 1) + "~";
  return column.format == Format::kText ? fmt::format("{:<{}}", text, width)
                                        : fmt::format("{:>{}}", text, width);
}

std::string align(const Grid& grid, const Heads& columns, Width width) {
  std::vector<size_t> widths(columns.size());
  for (const auto& row : grid) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  if (width == Width::kTerminal) shorten(widths, columns);
  std::string out;
  for (const auto& row : grid) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += fitted(row[c], widths[c], columns[c]) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

// What stands in a table, without what is there for scripts alone.
template <class Row>
bool is_shown(const Row&) {
  return true;
}
bool is_shown(const CounterRow& row) {
  return !row.alias_of;  // an old name
}

// What an older sluice says in other fields.
template <class Row>
void make_up(AnsweredRow<Row>&) {}
void make_up(AnsweredRow<BackendRow>& answered) {
  bool& has_why = answered.has[index_of<BackendRow>(&BackendRow::why)];
  if (has_why && answered.row.why) return;
  if (!answered.has[index_of<BackendRow>(&BackendRow::health_reason)]) return;
  answered.row.why = answered.row.health_reason;
  has_why = true;
}

// The heads in the first line.
struct Filled {
  Heads heads;
  Grid grid = Grid(1);
};

template <class Row>
Filled fill(const json& result, const char* what, std::span<const Column<Row>> columns,
            Width width) {
  const auto fits = [width](const Column<Row>& column) {
    return width == Width::kWide || column.place != ColumnPlace::kWide;
  };
  Filled out;
  for (const Column<Row>& column : columns) {
    if (!fits(column)) continue;
    out.heads.push_back({column.title, column.format, column.place});
    out.grid[0].push_back(column.title);
  }
  for (AnsweredRow<Row>& answered : rows_of<Row>(result, what)) {
    make_up(answered);
    if (!is_shown(answered.row)) continue;
    auto& cells = out.grid.emplace_back();
    for (const Column<Row>& column : columns) {
      if (fits(column)) cells.push_back(cell_text(cell_of(answered, column.member), column.format));
    }
  }
  return out;
}

template <class Row, const auto& kColumns>
Filled fill_with(const json& result, const char* what, Width width) {
  return fill<Row>(result, what, kColumns, width);
}

struct Table {
  std::string name;
  Filled (*fill)(const json& result, const char* what, Width width);
};

const std::vector<Table> kTables = {
    {"services", fill_with<ServiceRow, kServiceRowColumns>},
    {"backends", fill_with<BackendRow, kBackendRowColumns>},
    {"drain", fill_with<DrainRow, kDrainRowColumns>},
    {"flows", fill_with<FlowRow, kFlowRowColumns>},
    {"pools", fill_with<PoolRow, kPoolRowColumns>},
    {"workers", fill_with<WorkerRow, kWorkerRowColumns>},
    {"stages", fill_with<StageRow, kStageRowColumns>},
    {"interfaces", fill_with<InterfaceRow, kInterfaceRowColumns>},
    {"program", fill_with<ProgramRow, kProgramRowColumns>},
    {"refusals", fill_with<RefusalRow, kRefusalRowColumns>},
    {"counters", fill_with<CounterRow, kCounterRowColumns>},
};

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
  const Filled filled = table->fill(result, table->name.c_str(), width);
  std::string out = align(filled.grid, filled.heads, width);
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
