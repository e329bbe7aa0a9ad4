// SPDX-License-Identifier: BSD-3-Clause
// Puts rows, rates, totals, history and findings together.
#include "control/daemon/status/status_board.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "control/common/clock.h"
#include "control/common/row_json.h"
#include "control/daemon/status/findings.h"
#include "control/daemon/status/forecast.h"
#include "control/daemon/status/outliers.h"
#include "control/daemon/status/pool_sums.h"
#include "control/daemon/status/program_view.h"
#include "control/daemon/status/refusal_rows.h"
#include "control/daemon/status/views.h"

namespace sluice::control {
namespace {

using TotalsField = Number TotalsRow::*;

// What five minutes are kept of.
constexpr TotalsField kHistory[] = {
    &TotalsRow::connections_per_s, &TotalsRow::active,      &TotalsRow::bits_in_per_s,
    &TotalsRow::bits_out_per_s,    &TotalsRow::drops_per_s, &TotalsRow::busy_percent,
    &TotalsRow::pool_percent,      &TotalsRow::half_open,
};

template <class Rows, class Value>
double sum_of(const Rows& rows, Value&& value) {
  double total = 0;
  for (const auto& row : rows) total += static_cast<double>(value(row));
  return total;
}

template <class Row>
double per_s_of(const std::vector<Row>& rows, Watched Row::*field) {
  return sum_of(rows, [field](const Row& row) { return (row.*field).per_s.value_or(0); });
}

template <class Row>
double largest_of(const std::vector<Row>& rows, Number Row::*field) {
  double value = 0;
  for (const Row& row : rows) value = std::max(value, row.*field);
  return value;
}

template <class Row>
void set_end(Row& row, const std::optional<Forecast>& forecast) {
  row.ends_in_s = forecast ? OptNumber(std::round(forecast->seconds)) : OptNumber();
  row.ends_soon = forecast && forecast->soon;
}

void add_forecasts(Status& status) {
  for (PoolSumRow& pool : status.pools) set_end(pool, forecast_of_ports(pool));
  for (WorkerRow& worker : status.workers) set_end(worker, forecast_of_flows(worker));
}

// Which backends a service may use, and what goes through them.
void add_backend_to_service(ServiceRow& service, const BackendRow& backend) {
  service.backends_up += backend.usable ? 1 : 0;
  service.bytes_in_per_s += backend.bytes_in.per_s.value_or(0);
  service.bytes_out_per_s += backend.bytes_out.per_s.value_or(0);
  // Handshakes that nobody finishes: how many a second, how many now.
  service.half_open += backend.half_open;
  service.syns_deferred_recent += backend.syns_deferred.recent;
  service.half_open_flood_recent += backend.half_open_evicted.recent + backend.syns_deferred.recent;
  service.half_open_flood_per_s +=
      backend.half_open_evicted.per_s.value_or(0) + backend.syns_deferred.per_s.value_or(0);
}

void add_backends_to_services(Status& status) {
  std::map<std::pair<std::string, std::string>, uint64_t> ports;  // by backend and local pool
  for (const PoolSumRow& pool : status.pools) ports[{pool.backend, pool.local_pool}] = pool.ports;
  std::map<std::string, ServiceRow*> services;
  for (ServiceRow& service : status.services) services[service.name] = &service;
  for (const BackendRow& backend : status.backends) {
    const auto found = services.find(backend.service);
    if (found == services.end()) continue;
    ServiceRow& service = *found->second;
    add_backend_to_service(service, backend);
    service.ports += ports[{backend.address, service.local_pool}];
  }
  for (ServiceRow& service : status.services) {
    service.half_open_flood_per_s = std::round(service.half_open_flood_per_s);
  }
}

// Of the numbers that the page draws first.
TotalsRow totals_of(const Status& status) {
  const auto sum = [](const auto& rows, auto field) {
    return sum_of(rows, [field](const auto& row) { return row.*field; });
  };
  return {.connections_per_s = per_s_of(status.services, &ServiceRow::connections),
          .refused_per_s = per_s_of(status.services, &ServiceRow::refused),
          .active = sum(status.services, &ServiceRow::active),
          .bits_in_per_s = 8 * per_s_of(status.backends, &BackendRow::bytes_in),
          .bits_out_per_s = 8 * per_s_of(status.backends, &BackendRow::bytes_out),
          .packets_per_s = per_s_of(status.workers, &WorkerRow::packets_in),
          .drops_per_s = per_s_of(status.drops, &CounterRow::value),
          .flows = sum(status.workers, &WorkerRow::flows),
          .flows_max = sum(status.workers, &WorkerRow::flows_max),
          .half_open = sum(status.workers, &WorkerRow::half_open),
          .why_kept = sum(status.workers, &WorkerRow::why_kept),
          .busy_percent = largest_of(status.workers, &WorkerRow::busy_percent),
          .pool_percent = largest_of(status.pools, &PoolSumRow::fullest_percent)};
}

uint64_t wall_clock_ms() {
  using namespace std::chrono;
  return static_cast<uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

// Between two samples the counters stay what they were: their growth goes with them.
void keep_counts(const LinkRow& before, LinkRow& now) {
  for (Watched LinkRow::*field :
       {&LinkRow::received, &LinkRow::missed, &LinkRow::rx_errors, &LinkRow::no_buffer}) {
    now.*field = before.*field;
  }
}

}  // namespace

void StatusBoard::add_rates(Status& status) {
  const auto each = [&](auto& rows, const char* what, auto&& name) {
    for (auto& row : rows) rates_.add(std::string(what) + ' ' + name(row), row);
  };
  rates_.begin(Rates::Clock::now());
  each(status.services, "service",
       [](const ServiceRow& row) { return row.protocol + ' ' + row.vip; });
  each(status.backends, "backend",
       [](const BackendRow& row) { return row.protocol + ' ' + row.vip + ' ' + row.address; });
  each(status.pools, "pool", [](const PoolSumRow& row) {
    return row.protocol + ' ' + row.backend + ' ' + row.local_pool;
  });
  each(status.workers, "worker", [](const WorkerRow& row) { return std::to_string(row.lcore); });
  each(status.interfaces, "interface", [](const LinkRow& row) { return row.name; });
  each(status.drops, "drop", [](const CounterRow& row) { return row.name; });
  each(status.events, "event", [](const CounterRow& row) { return row.name; });
}

void StatusBoard::keep_history(const TotalsRow& totals) {
  for (const TotalsField field : kHistory) {
    const char* name = FieldsOf<TotalsRow>::kList[index_of<TotalsRow>(field)].name;
    std::deque<double>& values = history_[name];
    if (values.size() == kHistorySeconds) values.pop_front();
    values.push_back(std::round(10 * totals.*field) / 10);
  }
}

void StatusBoard::sample(const DataplaneManager& dataplane, const OperatorView& operations,
                         const std::vector<WorkerLoad>& loads) {
  using namespace std::chrono;
  pool_watch_.look(dataplane.identities(), dataplane.config().time_wait, steady_ms());
  Status status;
  status.time_ms = wall_clock_ms();
  status.uptime_s =
      static_cast<uint64_t>(duration_cast<seconds>(steady_clock::now() - started_).count());
  status.program = program_row(dataplane, operations.reloads, operations.loop_load);
  status.drain = operations.drain;
  status.services = service_rows(dataplane);
  status.backends = backend_rows(dataplane);
  status.pools = pool_sums(dataplane, pool_watch_);
  status.workers = worker_rows(dataplane, loads);
  status.interfaces = link_rows(dataplane);
  status.drops = drop_rows(dataplane);
  status.events = event_rows(dataplane);
  status.refusals = refusal_rows(dataplane);
  neighbour_watch_.sample(dataplane);
  for (size_t i = 0; i < status.workers.size(); ++i) {
    status.workers[i].cut_off_from = neighbour_watch_.cut_off_from()[i];
  }
  add_rates(status);
  add_forecasts(status);
  add_outliers(status.backends);
  for (BackendRow& backend : status.backends) backend.usable = backend.state == "up";
  add_backends_to_services(status);
  status.totals = totals_of(status);
  keep_history(status.totals);
  status.history = history_;
  status.findings = judge(status);
  latest_ = std::move(status);
  latest_json_ = nullptr;
  sampled_ = true;
}

const nlohmann::json& StatusBoard::latest_json() const {
  if (latest_json_.is_null()) latest_json_ = json_of(latest_);
  return latest_json_;
}

void StatusBoard::refresh_links(const DataplaneManager& dataplane) {
  if (!sampled_) return;
  const std::vector<LinkRow> before = std::exchange(latest_.interfaces, link_rows(dataplane));
  for (size_t i = 0; i < before.size(); ++i) keep_counts(before[i], latest_.interfaces[i]);
  latest_.findings = judge(latest_);
  latest_json_ = nullptr;
}

}  // namespace sluice::control
