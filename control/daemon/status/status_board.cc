// SPDX-License-Identifier: BSD-3-Clause
// Puts rows, rates, totals, history and findings together.
#include "control/daemon/status/status_board.h"

#include <algorithm>
#include <cmath>

#include "control/common/clock.h"
#include "control/common/row_json.h"
#include "control/daemon/status/backend_condition.h"
#include "control/daemon/status/findings.h"
#include "control/daemon/status/forecast.h"
#include "control/daemon/status/outliers.h"
#include "control/daemon/status/pool_sums.h"
#include "control/daemon/status/program_view.h"
#include "control/daemon/status/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Fields = std::vector<std::string>;

const Fields kServiceCounters = {"connections", "refused"};
const Fields kBackendCounters = {
    "connections", "packets_in",   "packets_out",       "bytes_in",     "bytes_out",
    "answered",    "refused",      "unanswered",        "resets",       "timeouts",
    "heals",       "heals_failed", "half_open_evicted", "syns_deferred"};
const Fields kPoolCounters = {"taken",         "fresh",    "reuse_clean", "reuse_rested",
                              "reuse_natural", "ts_fixes", "seq_fixes",   "reuse_fitted",
                              "heals",         "avoided",  "exhausted"};
const Fields kPoolLevels = {"unavailable"};
const Fields kWorkerCounters = {"packets_in", "packets_out", "bytes_in", "bytes_out", "drops"};
const Fields kWorkerLevels = {"flows_open"};
const Fields kHistory = {"connections_per_s", "active",       "bits_in_per_s", "bits_out_per_s",
                         "drops_per_s",       "busy_percent", "pool_percent"};

double sum(const json& rows, const std::string& field) {
  double total = 0;
  for (const json& row : rows) total += row.value(field, 0.0);
  return total;
}

double largest(const json& rows, const std::string& field) {
  double value = 0;
  for (const json& row : rows) value = std::max(value, row.value(field, 0.0));
  return value;
}

void add_outlooks(json& status) {
  const auto add = [](json& row, const std::optional<Forecast>& forecast) {
    row["ends_in_s"] = forecast ? json(std::round(forecast->seconds)) : json();
    row["ends_soon"] = forecast && forecast->soon;
  };
  for (json& pool : status["pools"]) add(pool, forecast_of_ports(pool));
  for (json& worker : status["workers"]) add(worker, forecast_of_flows(worker));
}

void add_conditions(json& backends) {
  add_siblings(backends);
  for (json& backend : backends) {
    const Condition now = condition_of(backend);
    put_field(backend, "severity", now.severity);
    backend["condition"] = now.word;
    backend["condition_text"] = now.sentence;
    backend["usable"] = backend.value("state", "") == "up";
  }
}

// Which backends a service may use, and what goes through them.
void add_backends_to_services(json& services, const json& backends) {
  std::map<std::string, std::vector<const json*>> by_service;
  for (const json& backend : backends) by_service[backend.at("service")].push_back(&backend);
  for (json& service : services) {
    size_t up = 0;
    double in = 0;
    double out = 0;
    for (const json* backend : by_service[service.at("name")]) {
      up += backend->at("usable").get<bool>() ? 1 : 0;
      in += backend->value("bytes_in_per_s", 0.0);
      out += backend->value("bytes_out_per_s", 0.0);
    }
    service["backends_up"] = up;
    service["bytes_in_per_s"] = in;
    service["bytes_out_per_s"] = out;
  }
}

// Handshakes that nobody finishes: how many a second, how many now, of how many ports.
void add_floods_to_services(json& services, const json& backends, const json& pools) {
  std::map<std::pair<std::string, std::string>, double> ports;  // by backend and local pool
  for (const json& pool : pools)
    ports[{pool.at("backend"), pool.at("local_pool")}] = pool.at("ports");
  std::map<std::string, std::vector<const json*>> by_service;
  for (const json& backend : backends) by_service[backend.at("service")].push_back(&backend);
  for (json& service : services) {
    double half_open = 0, per_s = 0, recent = 0, deferred = 0, of_ports = 0;
    for (const json* backend : by_service[service.at("name")]) {
      half_open += backend->value("half_open", 0.0);
      deferred += backend->value("syns_deferred_recent", 0.0);
      for (const std::string field : {"half_open_evicted", "syns_deferred"}) {
        per_s += backend->value(field + "_per_s", 0.0);
        recent += backend->value(field + "_recent", 0.0);
      }
      of_ports += ports[{backend->at("address"), service.at("local_pool")}];
    }
    service["half_open"] = half_open;
    service["half_open_flood_per_s"] = std::round(per_s);
    service["half_open_flood_recent"] = recent;
    service["syns_deferred_recent"] = deferred;
    service["ports"] = of_ports;
  }
}

json rows_of_kind(const json& counters, std::string_view kind) {
  json rows = json::array();
  for (const json& row : counters) {
    if (row.at("kind") != kind) continue;
    rows.push_back(row);
    if (kind == "drop") {
      put_field(rows.back(), "severity", severity_of_drop(row.at("name").get<std::string>()));
    }
  }
  return rows;
}

void add_severities(json& status) {
  for (json& row : status["services"]) put_field(row, "severity", severity_of_service(row));
  for (json& row : status["pools"]) put_field(row, "severity", severity_of_pool(row));
}

// Of the numbers that the page draws first.
json totals_of(const json& status) {
  const json& backends = status.at("backends");
  return {{"connections_per_s", sum(status.at("services"), "connections_per_s")},
          {"refused_per_s", sum(status.at("services"), "refused_per_s")},
          {"active", sum(status.at("services"), "active")},
          {"bits_in_per_s", 8 * sum(backends, "bytes_in_per_s")},
          {"bits_out_per_s", 8 * sum(backends, "bytes_out_per_s")},
          {"packets_per_s", sum(status.at("workers"), "packets_in_per_s")},
          {"drops_per_s", sum(status.at("drops"), "value_per_s")},
          {"flows", sum(status.at("workers"), "flows")},
          {"flows_max", sum(status.at("workers"), "flows_max")},
          {"busy_percent", largest(status.at("workers"), "busy_percent")},
          {"pool_percent", largest(status.at("pools"), "fullest_percent")}};
}

uint64_t wall_clock_ms() {
  using namespace std::chrono;
  return static_cast<uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace

void StatusBoard::add_rates(json& status) {
  const auto each = [&](const char* rows, const Fields& names, const Fields& counters,
                        const Fields& levels = {}) {
    for (json& row : status[rows]) {
      std::string key = rows;
      for (const std::string& name : names) key += ' ' + row.at(name).dump();
      rates_.add(key, row, counters);
      rates_.add_trends(key, row, levels);
    }
  };
  rates_.begin(Rates::Clock::now());
  each("services", {"vip"}, kServiceCounters);
  each("backends", {"service", "address"}, kBackendCounters);
  each("pools", {"backend", "local_pool"}, kPoolCounters, kPoolLevels);
  each("workers", {"lcore"}, kWorkerCounters, kWorkerLevels);
  each("drops", {"name"}, {"value"});
  each("events", {"name"}, {"value"});
}

void StatusBoard::keep_history(const json& totals) {
  for (const std::string& field : kHistory) {
    std::deque<double>& values = history_[field];
    if (values.size() == kHistorySeconds) values.pop_front();
    values.push_back(std::round(10 * totals.at(field).get<double>()) / 10);
  }
}

void StatusBoard::sample(const DataplaneManager& dataplane, const OperatorView& operations,
                         const std::vector<WorkerLoad>& loads) {
  using namespace std::chrono;
  pool_watch_.look(dataplane.identities(), dataplane.config().time_wait, steady_ms());
  const json counters = view_counters(dataplane).at("counters");
  json status = {
      {"time_ms", wall_clock_ms()},
      {"uptime_s", duration_cast<seconds>(steady_clock::now() - started_).count()},
      {"version", SLUICE_VERSION},
      {"program",
       view_program(dataplane, operations.reloads, operations.loop_load).at("program").at(0)},
      {"drain", operations.drain.at("drain").at(0)},
      {"services", view_services(dataplane).at("services")},
      {"backends", view_backends(dataplane).at("backends")},
      {"pools", json_of(pool_sums(dataplane, pool_watch_), FieldPlace::kStatus)},
      {"workers", view_workers(dataplane, loads).at("workers")},
      {"interfaces", json_of(link_rows(dataplane), FieldPlace::kStatus)},
      {"drops", rows_of_kind(counters, "drop")},
      {"events", rows_of_kind(counters, "event")},
  };
  neighbour_watch_.sample(dataplane);
  for (size_t i = 0; i < status["workers"].size(); ++i) {
    status["workers"][i]["cut_off_from"] = neighbour_watch_.cut_off_from()[i];
  }
  add_rates(status);
  add_outlooks(status);
  add_conditions(status["backends"]);
  add_backends_to_services(status["services"], status["backends"]);
  add_floods_to_services(status["services"], status["backends"], status["pools"]);
  add_severities(status);
  status["totals"] = totals_of(status);
  keep_history(status["totals"]);
  status["history"] = history_;
  put_findings(status, judge(status));
  latest_ = std::move(status);
}

void StatusBoard::refresh_links(const DataplaneManager& dataplane) {
  if (latest_.empty()) return;
  const json links = json_of(link_rows(dataplane), FieldPlace::kStatus);
  for (size_t i = 0; i < links.size(); ++i) latest_["interfaces"][i].update(links[i]);
  put_findings(latest_, judge(latest_));
}

}  // namespace sluice::control
