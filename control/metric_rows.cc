// SPDX-License-Identifier: BSD-3-Clause
// One list says which fields of which rows are metrics.
#include "control/metric_rows.h"

#include <fmt/format.h>

namespace sluice::control {
namespace {

using nlohmann::json;

enum class Type { kCounter, kGauge };

struct Field {
  const char* key;
  Type type;
  const char* help;
};

struct Rows {
  const char* what;                 // of `show`
  const char* prefix;               // of the metrics' names
  std::vector<const char*> labels;  // fields that tell rows apart
  std::vector<Field> fields;
};

const std::vector<Rows> kRows = {
    {"services",
     "service",
     {"name", "vip"},
     {{"active", Type::kGauge, "Connections open now"},
      {"connections", Type::kCounter, "Connections accepted"},
      {"refused", Type::kCounter, "SYNs refused for want of a backend, a port or a flow entry"}}},
    {"backends",
     "backend",
     {"service", "address"},
     {{"weight", Type::kGauge, "Configured weight"},
      {"active", Type::kGauge, "Connections open now"},
      {"connections", Type::kCounter, "Connections begun"},
      {"packets_in", Type::kCounter, "Packets to the backend"},
      {"packets_out", Type::kCounter, "Packets from the backend"},
      {"bytes_in", Type::kCounter, "Bytes to the backend"},
      {"bytes_out", Type::kCounter, "Bytes from the backend"},
      {"refused", Type::kCounter, "SYNs that the backend answered with RST"},
      {"resets", Type::kCounter, "Connections ended by RST"},
      {"timeouts", Type::kCounter, "Connections ended by idle time"},
      {"heals", Type::kCounter, "Stale answers met"}}},
    {"pools",
     "pool",
     {"local", "backend", "worker"},
     {{"ports", Type::kGauge, "Local ports"},
      {"free", Type::kGauge, "Ports whose tuple the backend has forgotten"},
      {"resting", Type::kGauge, "Ports whose tuple the backend was left holding"},
      {"in_use", Type::kGauge, "Ports of open connections"},
      {"taken", Type::kCounter, "Ports taken"},
      {"ts_fixes", Type::kCounter, "SYNs fitted by an offset on their timestamps"},
      {"seq_fixes", Type::kCounter, "SYNs fitted by an offset on their sequence numbers"},
      {"heals", Type::kCounter, "Stale answers met"},
      {"avoided", Type::kCounter, "Takes that passed over a tuple in TIME_WAIT"},
      {"exhausted", Type::kCounter, "Takes that found no port"}}},
    {"workers",
     "worker",
     {"lcore"},
     {{"packets_in", Type::kCounter, "Packets received"},
      {"packets_out", Type::kCounter, "Packets sent"},
      {"bytes_in", Type::kCounter, "Bytes received"},
      {"bytes_out", Type::kCounter, "Bytes sent"},
      {"flows", Type::kGauge, "Flow entries in use"},
      {"flows_max", Type::kGauge, "Flow entries there are"},
      {"busy_percent", Type::kGauge, "Polls of the last second that brought packets"}}},
};

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add(MetricSamples& samples, const Rows& rows, const Field& field, const json& row) {
  Labels labels;
  for (const char* label : rows.labels) labels.emplace_back(label, text_of(row.at(label)));
  const double value = row.at(field.key);
  const std::string name = fmt::format("sluice_{}_{}", rows.prefix, field.key);
  if (field.type == Type::kCounter) {
    samples.counter(name + "_total", field.help, std::move(labels), value);
  } else {
    samples.gauge(name, field.help, std::move(labels), value);
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> collect_metrics(Commands& commands) {
  MetricSamples samples;
  for (const Rows& rows : kRows) {
    const json shown = commands.show(rows.what, 0);
    for (const Field& field : rows.fields) {
      for (const json& row : shown.at(rows.what)) add(samples, rows, field, row);
    }
  }
  const json counters = commands.show("counters", 0);
  for (const json& row : counters.at("counters")) {
    const std::string kind = row.at("kind");
    samples.counter(fmt::format("sluice_{}s_total", kind),
                    kind == "drop" ? "Packets dropped, by reason" : "What happened, by event",
                    {{kind == "drop" ? "reason" : "event", row.at("name")}}, row.at("value"));
  }
  return samples.take();
}

}  // namespace sluice::control
