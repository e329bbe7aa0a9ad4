// SPDX-License-Identifier: BSD-3-Clause
// Rows put into DPDK's own containers, within their limits.
#include "control/daemon/export/telemetry.h"

#include <rte_telemetry.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <optional>

#include "control/common/status_rows.h"
#include "control/common/text.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct Table {
  const char* command;
  const char* what;  // of `show`
  const char* help;
  std::vector<const char*> names;  // fields that name a row
};

template <class Row>
std::vector<const char*> names_of_row() {
  std::vector<const char*> names;
  for (const RowField<Row>& field : FieldsOf<Row>::kList) {
    if (field.kind == FieldKind::kName) names.push_back(field.name);
  }
  return names;
}

const std::vector<Table> kTables = {
    {"/sluice/services", "services", "Services; with a row's number: that row",
     names_of_row<ServiceRow>()},
    {"/sluice/backends", "backends", "Backends; with a row's number: that row",
     names_of_row<BackendRow>()},
    {"/sluice/pools", "pools", "Pools of local ports; with a row's number: that row",
     names_of_row<PoolRow>()},
    {"/sluice/workers", "workers", "Workers; with a row's number: that row",
     names_of_row<WorkerRow>()},
    {"/sluice/interfaces", "interfaces", "Interfaces; with a row's number: that row",
     names_of_row<InterfaceRow>()},
    {"/sluice/program", "program", "The program; with 0: all about it", names_of_row<ProgramRow>()},
};

// Who answers; DPDK's thread and the control thread meet here.
std::mutex mutex;
LoopCall* calls = nullptr;
Telemetry::Show answer;

std::optional<json> rows_of(const char* what) {
  const std::lock_guard lock(mutex);
  std::optional<json> rows;
  if (calls != nullptr) calls->run([&] { rows = answer(what).at(what); });
  return rows;
}

std::string value_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

int list_rows(const Table& table, const json& rows, rte_tel_data* data) {
  rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
  const size_t count = std::min<size_t>(rows.size(), RTE_TEL_MAX_ARRAY_ENTRIES);
  for (size_t i = 0; i < count; ++i) {
    std::vector<std::string> names;
    for (const char* field : table.names) names.push_back(value_text(rows[i].at(field)));
    rte_tel_data_add_array_string(data, join(names, " ").c_str());
  }
  return 0;
}

void add_field(rte_tel_data* data, const std::string& name, const json& value) {
  if (value.is_object() || value.is_array()) return;  // has a place of its own in DPDK's commands
  if (value.is_number_unsigned() || value.is_number_integer()) {
    rte_tel_data_add_dict_u64(data, name.c_str(), value.get<uint64_t>());
  } else if (value.is_boolean()) {
    rte_tel_data_add_dict_u64(data, name.c_str(), value.get<bool>() ? 1 : 0);
  } else {
    rte_tel_data_add_dict_string(data, name.c_str(), value_text(value).c_str());
  }
}

int give_row(const json& rows, std::string_view number, rte_tel_data* data) {
  size_t row = 0;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), row);
  if (error != std::errc{} || end != number.end() || row >= rows.size()) return -EINVAL;
  rte_tel_data_start_dict(data);
  for (const auto& [name, value] : rows[row].items()) add_field(data, name, value);
  return 0;
}

int answer_table(const char* command, const char* parameters, rte_tel_data* data) {
  const auto table = std::ranges::find(kTables, std::string_view(command), &Table::command);
  const auto rows = table == kTables.end() ? std::nullopt : rows_of(table->what);
  if (!rows) return -EAGAIN;
  if (parameters == nullptr || *parameters == '\0') return list_rows(*table, *rows, data);
  return give_row(*rows, parameters, data);
}

int answer_counters(const char*, const char*, rte_tel_data* data) {
  const auto rows = rows_of("counters");
  if (!rows) return -EAGAIN;
  rte_tel_data_start_dict(data);
  for (const json& row : *rows) add_field(data, row.at("name"), row.at("value"));
  return 0;
}

int answer_list(const char*, const char*, rte_tel_data* data) {
  rte_tel_data_start_array(data, RTE_TEL_STRING_VAL);
  for (const Table& table : kTables) rte_tel_data_add_array_string(data, table.command);
  rte_tel_data_add_array_string(data, "/sluice/counters");
  return 0;
}

// An exception must not leave through DPDK's code.
template <int (*kAnswer)(const char*, const char*, rte_tel_data*)>
int guarded(const char* command, const char* parameters, rte_tel_data* data) {
  try {
    return kAnswer(command, parameters, data);
  } catch (const std::exception&) {
    return -EIO;
  }
}

void register_commands() {
  static std::once_flag once;
  std::call_once(once, [] {
    rte_telemetry_register_cmd("/sluice", guarded<answer_list>, "Sluice's commands");
    for (const Table& table : kTables) {
      rte_telemetry_register_cmd(table.command, guarded<answer_table>, table.help);
    }
    rte_telemetry_register_cmd("/sluice/counters", guarded<answer_counters>,
                               "Every drop reason and event with its count");
  });
}

}  // namespace

Telemetry::Telemetry(LoopCall& loop_calls, Show show_rows) {
  {
    const std::lock_guard lock(mutex);
    calls = &loop_calls;
    answer = std::move(show_rows);
  }
  register_commands();
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(mutex);
  calls = nullptr;
  answer = nullptr;
}

}  // namespace sluice::control
