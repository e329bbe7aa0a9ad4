// SPDX-License-Identifier: BSD-3-Clause
// Counters and identities put into rows.
#include "control/daemon/status/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/common/clock.h"
#include "control/common/row_json.h"
#include "control/common/text.h"
#include "control/daemon/status/pool_names.h"
#include "control/daemon/status/refusal_rows.h"
#include "dataplane/worker/packet_balance.h"

namespace sluice::control {
namespace {

using nlohmann::json;

uint64_t backend_sum(const DataplaneManager& dataplane, BackendId id,
                     Counter BackendState::*counter) {
  return dataplane.identities().sum(&Registry::backends, id, counter);
}

// A counter of a service that is kept for each backend.
uint64_t sum_over_backends(const DataplaneManager& dataplane, const ServiceKey& service,
                           Counter BackendState::*counter) {
  uint64_t total = 0;
  for (const auto& [key, backend] : dataplane.identities().backends_of(service)) {
    total += backend_sum(dataplane, backend.id, counter);
  }
  return total;
}

// What an operator and a health check make of a backend.
const char* state_of(const BackendEntry& entry, const Override* over, const HealthView* health) {
  const AdminState set = over == nullptr ? AdminState::kAuto : over->state;
  if (entry.removed) return "removed";
  if (set == AdminState::kDown) return "down";
  if (effective_weight(entry.weight, over) == 0) return "draining";
  const bool healthy = set == AdminState::kUp || health == nullptr || health->takes_flows;
  return healthy ? "up" : "unhealthy";
}

void add_health(BackendRow& row, const HealthView* health) {
  const HealthView none;
  const HealthView& now = health == nullptr ? none : *health;
  if (health != nullptr) {
    row.health = to_string(now.health);
    const auto age = std::chrono::steady_clock::now() - now.since;
    row.health_since_s =
        static_cast<uint64_t>(std::chrono::floor<std::chrono::seconds>(age).count());
    row.check_ms = static_cast<uint64_t>(now.last_check.count());
  }
  row.health_reason = now.reason;
  row.check_error = now.check_error;
  row.healthy = now.takes_flows;
  row.share_percent = now.share_percent;
  row.checks_good = now.checks_good;
  row.checks_bad = now.checks_bad;
  if (now.usual_check) row.check_usual_ms = static_cast<uint64_t>(now.usual_check->count());
}

// What speaks against a backend, in a few words for a table; nothing where nothing does.
OptString why_of(const BackendRow& row) {
  std::vector<std::string> words;
  if (row.override) {
    words.push_back(*row.override + " by hand");
  } else if (row.weight_configured == 0) {
    words.emplace_back("weight 0 in the file");
  }
  if (!row.check_error.empty()) words.push_back("cannot be checked: " + row.check_error);
  if (!row.health_reason.empty()) words.push_back(row.health_reason);
  if (row.health == "starting") {
    words.push_back(fmt::format("starts slowly: {} %", row.share_percent));
  }
  if (row.state == "unhealthy" && row.health == "unchecked") {
    words.emplace_back("waits for its first check");
  }
  return words.empty() ? OptString() : join(words, "; ");
}

// The weights that count, whole ones: the share of a slow start stands beside them.
std::map<BackendKey, uint32_t> weights_in_force(const DataplaneManager& dataplane) {
  std::map<BackendKey, uint32_t> weights;
  for (const ServiceConfig& service : dataplane.config().services) {
    const std::vector<uint32_t>& counted = dataplane.weights_of(service).weights;
    for (size_t i = 0; i < counted.size(); ++i) {
      const BackendConfig& backend = service.backends[i];
      const BackendKey key = key_of(service, backend);
      const Override* over = find_override(dataplane.runtime().overrides, key);
      weights[key] = counted[i] == 0 ? 0 : effective_weight(backend.weight, over);
    }
  }
  return weights;
}

template <class Histogram>
Buckets counts_of(const Histogram& histogram) {
  Buckets counts;
  for (const Counter& bucket : histogram.buckets) counts.push_back(bucket.value());
  return counts;
}

uint64_t half_open_sum(const DataplaneManager& dataplane, BackendId id,
                       Counter HalfOpenQueue::*counter) {
  uint64_t total = 0;
  for (const Registry* registry : dataplane.identities().registries()) {
    total += (registry->backends[id]->half_open.*counter).value();
  }
  return total;
}

uint64_t handshake_us(const DataplaneManager& dataplane, BackendId id) {
  uint64_t us = 0;
  for (const Registry* registry : dataplane.identities().registries()) {
    us += registry->backends[id]->handshakes.sum.value();
  }
  return us;
}

NamedCounts flows_by_state(const WorkerCounters& counters) {
  NamedCounts states;
  for (size_t i = 0; i < kFlowStateCount; ++i) {
    states[std::string(kFlowStateNames[i])] = counters.flows[i].value();
  }
  return states;
}

// Of flows that are not over: what is over gives its entry to a new flow where there is no other.
uint64_t open_flows(const WorkerCounters& counters) {
  uint64_t count = 0;
  for (size_t i = 0; i < kFlowStateCount; ++i) {
    if (!is_closed(static_cast<FlowState>(i))) count += counters.flows[i].value();
  }
  return count;
}

uint64_t drops_of(const Worker& worker) {
  uint64_t total = 0;
  for (const Counter& drop : worker.counters().drops) total += drop.value();
  return total;
}

uint64_t half_open_of(const WorkerCounters& counters) {
  uint64_t total = 0;
  for (const FlowState state : {FlowState::kSynSent, FlowState::kSynReceived,
                                FlowState::kUdpUnanswered, FlowState::kUdpAnswered}) {
    total += counters.flows[static_cast<size_t>(state)].value();
  }
  return total;
}

// Queue n is worker n's, as far as the device has queues.
std::string queues_of(const DataplaneManager& dataplane, uint32_t worker) {
  std::string text;
  for (size_t i = 0; i < dataplane.ports().size(); ++i) {
    const Port& port = dataplane.ports()[i];
    const bool rx = worker < port.rx_queue_count(), tx = worker < port.tx_queue_count();
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", dataplane.config().interfaces[i].name,
                        rx && tx ? "rx+tx"
                        : rx     ? "rx"
                        : tx     ? "tx"
                                 : "-");
  }
  return text;
}

BackendRow backend_row(const DataplaneManager& dataplane, const BackendKey& key,
                       const BackendEntry& backend) {
  const HandshakeLatency& watch = dataplane.handshakes();
  const auto sum = [&](Counter BackendState::*counter) {
    return backend_sum(dataplane, backend.id, counter);
  };
  const auto watched = [&](Counter BackendState::*counter) { return Watched{sum(counter)}; };
  const auto half_open = [&](Counter HalfOpenQueue::*counter) {
    return half_open_sum(dataplane, backend.id, counter);
  };
  const Override* over = find_override(dataplane.runtime().overrides, key);
  const auto counts = HandshakeLatency::counted(dataplane.identities(), backend.id);
  return {.service = backend.service,
          .vip = to_string(key.service.vip),
          .protocol = String(to_string(key.service.protocol)),
          .address = to_string(key.address),
          .weight_configured = backend.weight,
          .override = over == nullptr ? OptString() : OptString(to_string(*over)),
          .handshake_p50_ms = watch.quantile_ms(key, 0.5),
          .handshake_p99_ms = watch.quantile_ms(key, 0.99),
          .handshake_counts = {counts.begin(), counts.end()},
          .handshake_us = handshake_us(dataplane, backend.id),
          .active = sum(&BackendState::active),
          .connections = watched(&BackendState::connections),
          .packets_in = watched(&BackendState::packets_in),
          .packets_out = watched(&BackendState::packets_out),
          .bytes_in = watched(&BackendState::bytes_in),
          .bytes_out = watched(&BackendState::bytes_out),
          .answered = watched(&BackendState::answered),
          .refused = watched(&BackendState::refused),
          .unanswered = watched(&BackendState::unanswered),
          .half_open = half_open(&HalfOpenQueue::count),
          .half_open_evicted = {half_open(&HalfOpenQueue::evicted)},
          .syns_deferred = {half_open(&HalfOpenQueue::deferred)},
          .resets = watched(&BackendState::resets),
          .timeouts = watched(&BackendState::timeouts),
          .heals = watched(&BackendState::heals),
          .heal_moves = sum(&BackendState::heal_moves),
          .heals_succeeded = sum(&BackendState::heals_succeeded),
          .heals_failed = watched(&BackendState::heals_failed),
          .timestamps_kept = sum(&BackendState::timestamps_kept),
          .timestamps_refused = sum(&BackendState::timestamps_refused)};
}

WorkerRow worker_row(const DataplaneManager& dataplane, size_t i, const WorkerLoad& load) {
  const Worker& worker = *dataplane.workers()[i];
  const WorkerCounters& counters = worker.counters();
  const auto events = [&](Event event) {
    return counters.events[static_cast<size_t>(event)].value();
  };
  return {.lcore = worker.lcore(),
          .steering = String(to_string(dataplane.steering().kind())),
          .queues = queues_of(dataplane, static_cast<uint32_t>(i)),
          .handed_off = {events(Event::handed_off)},
          .taken_over = events(Event::taken_over),
          .packets_in = {counters.packets_in.value()},
          .packets_out = {counters.packets_out.value()},
          .bytes_in = {counters.bytes_in.value()},
          .bytes_out = {counters.bytes_out.value()},
          .drops = {drops_of(worker)},
          .flows = worker.flow_count(),
          .flows_open = {open_flows(counters)},
          .flows_max = worker.flow_count_max(),
          .half_open = half_open_of(counters),
          .why_kept = worker.why_kept(),
          .clients = worker.clients().client_count(),
          .clients_max = worker.clients().client_count_max(),
          .clients_evicted = worker.clients().evicted_count(),
          .buffers_used = worker.buffers_used(),
          .buffers = worker.buffer_count(),
          .busy_percent = load.busy_percent,
          .waited_percent = load.waited_percent,
          .polls = counters.polls.value(),
          .burst_counts = counts_of(counters.bursts),
          .burst_packets = counters.bursts.sum.value(),
          .flows_by_state = flows_by_state(counters)};
}

PoolRow pool_row(const PoolKey& key, const PortPool& ports) {
  const PortPool::Counters& counters = ports.counters();
  return {.local = to_string(key.local),
          .backend = to_string(key.backend),
          .protocol = String(to_string(key.protocol)),
          .ports = ports.set().size(),
          .available = counters.available.value(),
          .time_wait = counters.time_wait.value(),
          .in_use = counters.in_use.value(),
          .peak = counters.peak.value(),
          .taken = counters.taken.value(),
          .fresh = counters.fresh.value(),
          .reuse_available = counters.reuse_available.value(),
          .reuse_rested = counters.reuse_rested.value(),
          .reuse_natural = counters.reuse_natural.value(),
          .reuse_rebased = counters.reuse_rebased.value(),
          .tsval_adjusts = counters.tsval_adjusts.value(),
          .sequence_adjusts = counters.sequence_adjusts.value(),
          .heals = counters.heals.value(),
          .exhausted = counters.exhausted.value(),
          .avoided = counters.avoided.value()};
}

// Names that events had in the version before: their rows stay beside the new ones for this
// version.
struct OldName {
  Event event;
  const char* name;
};
constexpr OldName kOldNames[] = {{Event::flows_closed_available, "flows_closed_clean"},
                                 {Event::flows_closed_time_wait, "flows_closed_held"}};

template <class CounterOf>
CounterRow counter_row(const DataplaneManager& dataplane, const net::CounterText& text,
                       const char* kind, CounterOf&& counter_of) {
  uint64_t value = 0;
  for (const auto& worker : dataplane.workers()) value += counter_of(worker->counters()).value();
  return {.name = String(text.name), .kind = kind, .value = {value}, .help = String(text.help)};
}

OptWhole limit_of(uint64_t configured) {
  return configured == 0 ? OptWhole() : OptWhole(configured);
}

template <class Row>
json shown_as(const char* what, const std::vector<Row>& rows) {
  return {{what, json_of(rows, FieldPlace::kShow)}};
}

}  // namespace

std::vector<ServiceRow> service_rows(const DataplaneManager& dataplane) {
  std::vector<ServiceRow> rows;
  for (const ServiceConfig& service : dataplane.config().services) {
    const ServiceId id = dataplane.identities().services().at(key_of(service)).id;
    const auto sum = [&](Counter ServiceState::*counter) {
      return Watched{dataplane.identities().sum(&Registry::services, id, counter)};
    };
    const auto& check = service.health_check;
    const bool all_down = dataplane.weights_of(service).all_down;
    rows.push_back({.name = service.name,
                    .vip = to_string(service.vip),
                    .protocol = String(to_string(service.protocol)),
                    .scheduler = String(to_string(service.scheduler)),
                    .local_pool = service.local_pool,
                    .tcp_timestamps = String(to_string(service.tcp_timestamps)),
                    .proxy_protocol = String(to_string(service.proxy_protocol)),
                    .toa = service.toa,
                    .health_check = check ? OptString(to_string(check->type)) : OptString(),
                    .all_down = all_down ? OptString(to_string(check->all_down)) : OptString(),
                    .backends = service.backends.size(),
                    .active = sum_over_backends(dataplane, key_of(service), &BackendState::active),
                    .max_connections = limit_of(service.guard.max_connections),
                    .connections = sum(&ServiceState::connections),
                    .refused = sum(&ServiceState::refused)});
  }
  return rows;
}

std::vector<BackendRow> backend_rows(const DataplaneManager& dataplane) {
  const HealthMap& health = dataplane.runtime().health;
  const auto weights = weights_in_force(dataplane);
  std::vector<BackendRow> rows;
  for (const auto& [key, backend] : dataplane.identities().backends()) {
    const auto checked = health.find(key);
    const HealthView* known = checked == health.end() ? nullptr : &checked->second;
    const auto weight = weights.find(key);
    BackendRow& row = rows.emplace_back(backend_row(dataplane, key, backend));
    row.weight = weight == weights.end() ? 0 : weight->second;
    row.max_connections = limit_of(backend.max_connections);
    row.state = state_of(backend, find_override(dataplane.runtime().overrides, key), known);
    add_health(row, known);
    row.why = why_of(row);
  }
  return rows;
}

std::vector<PoolRow> pool_rows(const DataplaneManager& dataplane) {
  const PoolNames names(dataplane.config());
  std::vector<PoolRow> rows;
  for (const auto& [key, pool] : dataplane.identities().pools()) {
    for (size_t worker = 0; worker < dataplane.workers().size(); ++worker) {
      PoolRow& row = rows.emplace_back(
          pool_row(key, dataplane.identities().registries()[worker]->pools[pool.id]->ports));
      row.local_pool = names.local_pool(key.local);
      row.services = names.services(key);
      row.worker = worker;
      row.removed = pool.removed;
    }
  }
  return rows;
}

std::vector<WorkerRow> worker_rows(const DataplaneManager& dataplane,
                                   const std::vector<WorkerLoad>& loads) {
  std::vector<WorkerRow> rows;
  for (size_t i = 0; i < dataplane.workers().size(); ++i) {
    rows.push_back(worker_row(dataplane, i, i < loads.size() ? loads[i] : WorkerLoad()));
  }
  return rows;
}

std::vector<CounterRow> event_rows(const DataplaneManager& dataplane) {
  std::vector<CounterRow> rows;
  for (size_t i = 0; i < kEventCount; ++i) {
    const auto event = [i](const WorkerCounters& c) -> const Counter& { return c.events[i]; };
    rows.push_back(counter_row(dataplane, kEventTexts[i], "event", event));
  }
  for (const OldName& old : kOldNames) {
    CounterRow row = rows[static_cast<size_t>(old.event)];
    row.alias_of = std::exchange(row.name, old.name);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<CounterRow> drop_rows(const DataplaneManager& dataplane) {
  std::vector<CounterRow> rows;
  for (size_t i = 0; i < net::kDropReasonCount; ++i) {
    const auto drop = [i](const WorkerCounters& c) -> const Counter& { return c.drops[i]; };
    rows.push_back(counter_row(dataplane, net::kDropReasonTexts[i], "drop", drop));
  }
  return rows;
}

json view_services(const DataplaneManager& dataplane) {
  return shown_as("services", service_rows(dataplane));
}
json view_backends(const DataplaneManager& dataplane) {
  return shown_as("backends", backend_rows(dataplane));
}
json view_pools(const DataplaneManager& dataplane) {
  return shown_as("pools", pool_rows(dataplane));
}
json view_workers(const DataplaneManager& dataplane, const std::vector<WorkerLoad>& loads) {
  return shown_as("workers", worker_rows(dataplane, loads));
}
json view_refusals(const DataplaneManager& dataplane) {
  return shown_as("refusals", refusal_rows(dataplane));
}
json view_counters(const DataplaneManager& dataplane) {
  std::vector<CounterRow> rows = event_rows(dataplane);
  std::ranges::move(drop_rows(dataplane), std::back_inserter(rows));
  return shown_as("counters", rows);
}

json view_packet_balance(const DataplaneManager& dataplane) {
  PacketBalance sum;
  for (const auto& worker : dataplane.workers()) {
    CountPackets call;
    if (worker->run(call)) sum += call.balance();
  }
  return {{"received", sum.received},
          {"made", sum.made},
          {"from_kernel", sum.from_kernel},
          {"taken_over", sum.taken_over},
          {"sent", sum.sent},
          {"dropped", sum.dropped},
          {"consumed", sum.consumed},
          {"to_kernel", sum.to_kernel},
          {"handed_on", sum.handed_on},
          {"waiting", sum.waiting},
          {"unaccounted", sum.unaccounted()}};
}

}  // namespace sluice::control
