// SPDX-License-Identifier: BSD-3-Clause
// Counters and identities put into rows. The fields are what scripts rely on: names stay.
#include "control/daemon/status/views.h"

#include <fmt/format.h>

#include <utility>

#include "control/common/clock.h"
#include "control/common/text.h"
#include "control/daemon/status/pool_names.h"
#include "dataplane/worker/packet_balance.h"

namespace sluice::control {
namespace {

using nlohmann::json;

uint64_t backend_sum(const DataplaneManager& dataplane, BackendId id,
                     Counter BackendState::*counter) {
  return dataplane.identities().sum(&Registry::backends, id, counter);
}

// A counter of a service that is kept for each backend.
uint64_t sum_over_backends(const DataplaneManager& dataplane, net::Endpoint vip,
                           Counter BackendState::*counter) {
  uint64_t total = 0;
  for (const auto& [key, backend] : dataplane.identities().backends()) {
    if (key.vip == vip) total += backend_sum(dataplane, backend.id, counter);
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

void add_health(json& row, const HealthView* health) {
  const HealthView none;
  const HealthView& now = health == nullptr ? none : *health;
  const bool checked = health != nullptr;
  row["health"] = checked ? json(to_string(now.health)) : json();
  row["health_reason"] = now.reason;
  row["health_hindrance"] = now.check_error;
  row["health_since_s"] = checked ? json((steady_ms() - now.since_ms) / 1000) : json();
  row["healthy"] = now.takes_flows;
  row["share_percent"] = now.share_percent;
  row["share_ratio"] = now.share_percent / 100.0;
  row["checks_good"] = now.checks_good;
  row["checks_bad"] = now.checks_bad;
  row["check_ms"] = checked ? json(now.last_check_ms) : json();
  row["check_usual_ms"] = now.usual_check_ms ? json(*now.usual_check_ms) : json();
  row["check_s"] = static_cast<double>(now.last_check_ms) / 1000;
}

// What speaks against a backend, in a few words for a table; null where nothing does.
json why_of(const json& row) {
  std::vector<std::string> words;
  if (row["override"].is_string()) {
    words.push_back(row["override"].get<std::string>() + " by hand");
  } else if (row["weight_configured"] == 0) {
    words.emplace_back("weight 0 in the file");
  }
  if (row["health_hindrance"] != "") {
    words.push_back("cannot be checked: " + row["health_hindrance"].get<std::string>());
  }
  if (row["health_reason"] != "") words.push_back(row["health_reason"]);
  if (row["health"] == "starting") {
    words.push_back(fmt::format("starts slowly: {} %", row["share_percent"].get<uint32_t>()));
  }
  if (row["state"] == "unhealthy" && row["health"] == "unchecked") {
    words.emplace_back("waits for its first check");
  }
  return words.empty() ? json() : json(join(words, "; "));
}

// The weights that count, whole ones: the share of a slow start stands beside them.
std::map<BackendKey, uint32_t> weights_in_force(const DataplaneManager& dataplane) {
  std::map<BackendKey, uint32_t> weights;
  for (const ServiceConfig& service : dataplane.config().services) {
    const std::vector<uint32_t>& counted = dataplane.weights_of(service).weights;
    for (size_t i = 0; i < counted.size(); ++i) {
      const BackendConfig& backend = service.backends[i];
      const BackendKey key{service.vip, backend.address};
      const Override* over = find_override(dataplane.runtime().overrides, key);
      weights[key] = counted[i] == 0 ? 0 : effective_weight(backend.weight, over);
    }
  }
  return weights;
}

template <class Histogram>
json counts_of(const Histogram& histogram) {
  json counts = json::array();
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

json number_or_null(std::optional<double> number) {
  return number ? json(*number) : json();
}

json flows_by_state(const WorkerCounters& counters) {
  json states = json::object();
  for (size_t i = 0; i < kTcpStateCount; ++i) {
    states[std::string(kTcpStateNames[i])] = counters.flows[i].value();
  }
  return states;
}

// Of flows that are not over: what is over gives its entry to a new flow where there is no other.
uint64_t open_flows(const WorkerCounters& counters) {
  uint64_t count = 0;
  for (size_t i = 0; i < kTcpStateCount; ++i) {
    if (!is_closed(static_cast<TcpState>(i))) count += counters.flows[i].value();
  }
  return count;
}

uint64_t drops_of(const Worker& worker) {
  uint64_t total = 0;
  for (const Counter& drop : worker.counters().drops) total += drop.value();
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

}  // namespace

json view_services(const DataplaneManager& dataplane) {
  json rows = json::array();
  for (const ServiceConfig& service : dataplane.config().services) {
    const ServiceId id = dataplane.identities().services().at(service.vip).id;
    const auto sum = [&](Counter ServiceState::*counter) {
      return dataplane.identities().sum(&Registry::services, id, counter);
    };
    rows.push_back({{"name", service.name},
                    {"vip", net::to_string(service.vip)},
                    {"protocol", to_string(service.protocol)},
                    {"scheduler", to_string(service.scheduler)},
                    {"local_pool", service.local_pool},
                    {"tcp_timestamps", to_string(service.tcp_timestamps)},
                    {"health_check",
                     service.health_check ? json(to_string(service.health_check->type)) : json()},
                    {"all_down", dataplane.weights_of(service).all_down
                                     ? json(to_string(service.health_check->all_down))
                                     : json()},
                    {"backends", service.backends.size()},
                    {"active", sum_over_backends(dataplane, service.vip, &BackendState::active)},
                    {"connections", sum(&ServiceState::connections)},
                    {"refused", sum(&ServiceState::refused)}});
  }
  return {{"services", rows}};
}

json view_backends(const DataplaneManager& dataplane) {
  const HandshakeLatency& watch = dataplane.handshakes();
  const HealthMap& health = dataplane.runtime().health;
  const auto weights = weights_in_force(dataplane);
  json rows = json::array();
  for (const auto& [key, backend] : dataplane.identities().backends()) {
    const auto sum = [&, id = backend.id](Counter BackendState::*counter) {
      return backend_sum(dataplane, id, counter);
    };
    const Override* over = find_override(dataplane.runtime().overrides, key);
    const auto checked = health.find(key);
    const HealthView* known = checked == health.end() ? nullptr : &checked->second;
    const auto weight = weights.find(key);
    rows.push_back(
        {{"service", backend.service},
         {"address", net::to_string(key.address)},
         {"weight", weight == weights.end() ? 0 : weight->second},
         {"state", state_of(backend, over, known)},
         {"weight_configured", backend.weight},
         {"override", over == nullptr ? json() : json(to_string(*over))},
         {"handshake_p50_ms", number_or_null(watch.quantile_ms(key, 0.5))},
         {"handshake_p99_ms", number_or_null(watch.quantile_ms(key, 0.99))},
         {"handshake_counts", HandshakeLatency::counted(dataplane.identities(), backend.id)},
         {"handshake_us", handshake_us(dataplane, backend.id)},
         {"active", sum(&BackendState::active)},
         {"connections", sum(&BackendState::connections)},
         {"packets_in", sum(&BackendState::packets_in)},
         {"packets_out", sum(&BackendState::packets_out)},
         {"bytes_in", sum(&BackendState::bytes_in)},
         {"bytes_out", sum(&BackendState::bytes_out)},
         {"answered", sum(&BackendState::answered)},
         {"refused", sum(&BackendState::refused)},
         {"unanswered", sum(&BackendState::unanswered)},
         {"half_open", half_open_sum(dataplane, backend.id, &HalfOpenQueue::count)},
         {"half_open_evicted", half_open_sum(dataplane, backend.id, &HalfOpenQueue::evicted)},
         {"syns_deferred", half_open_sum(dataplane, backend.id, &HalfOpenQueue::deferred)},
         {"resets", sum(&BackendState::resets)},
         {"timeouts", sum(&BackendState::timeouts)},
         {"heals", sum(&BackendState::heals)},
         {"heal_moves", sum(&BackendState::heal_moves)},
         {"heals_succeeded", sum(&BackendState::heals_succeeded)},
         {"heals_failed", sum(&BackendState::heals_failed)},
         {"timestamps_kept", sum(&BackendState::timestamps_kept)},
         {"timestamps_refused", sum(&BackendState::timestamps_refused)}});
    add_health(rows.back(), known);
    rows.back()["why"] = why_of(rows.back());
  }
  return {{"backends", rows}};
}

json view_pools(const DataplaneManager& dataplane) {
  const PoolNames names(dataplane.config());
  json rows = json::array();
  for (const auto& [key, pool] : dataplane.identities().pools()) {
    for (size_t worker = 0; worker < dataplane.workers().size(); ++worker) {
      const auto& ports = dataplane.identities().registries()[worker]->pools[pool.id]->ports;
      const PortPool::Counters& counters = ports.counters();
      rows.push_back({{"local_pool", names.local_pool(key.local)},
                      {"services", names.services(key)},
                      {"local", net::to_string(key.local)},
                      {"backend", net::to_string(key.backend)},
                      {"worker", worker},
                      {"removed", pool.removed},
                      {"ports", ports.set().size()},
                      {"free", counters.clean.value()},
                      {"resting", counters.held.value()},
                      {"in_use", counters.in_use.value()},
                      {"peak", counters.peak.value()},
                      {"taken", counters.taken.value()},
                      {"fresh", counters.fresh.value()},
                      {"reuse_clean", counters.reuse_clean.value()},
                      {"reuse_rested", counters.reuse_rested.value()},
                      {"reuse_natural", counters.reuse_natural.value()},
                      {"reuse_fitted", counters.reuse_rebased.value()},
                      {"ts_fixes", counters.tsval_adjusts.value()},
                      {"seq_fixes", counters.sequence_adjusts.value()},
                      {"heals", counters.heals.value()},
                      {"exhausted", counters.exhausted.value()},
                      {"avoided", counters.avoided.value()}});
    }
  }
  return {{"pools", rows}};
}

json view_workers(const DataplaneManager& dataplane, const std::vector<WorkerLoad>& loads) {
  json rows = json::array();
  for (size_t i = 0; i < dataplane.workers().size(); ++i) {
    const Worker& worker = *dataplane.workers()[i];
    const WorkerCounters& counters = worker.counters();
    const WorkerLoad load = i < loads.size() ? loads[i] : WorkerLoad();
    const auto events = [&](Event event) {
      return counters.events[static_cast<size_t>(event)].value();
    };
    rows.push_back({{"lcore", worker.lcore()},
                    {"steering", to_string(dataplane.steering().kind())},
                    {"queues", queues_of(dataplane, static_cast<uint32_t>(i))},
                    {"handed_off", events(Event::handed_off)},
                    {"taken_over", events(Event::taken_over)},
                    {"packets_in", counters.packets_in.value()},
                    {"packets_out", counters.packets_out.value()},
                    {"bytes_in", counters.bytes_in.value()},
                    {"bytes_out", counters.bytes_out.value()},
                    {"drops", drops_of(worker)},
                    {"flows", worker.flow_count()},
                    {"flows_open", open_flows(counters)},
                    {"flows_max", worker.flow_count_max()},
                    {"buffers_used", worker.buffers_used()},
                    {"buffers", worker.buffer_count()},
                    {"busy_percent", load.busy_percent},
                    {"busy_ratio", load.busy_percent / 100},
                    {"waited_percent", load.waited_percent},
                    {"polls", counters.polls.value()},
                    {"burst_counts", counts_of(counters.bursts)},
                    {"burst_packets", counters.bursts.sum.value()},
                    {"flows_by_state", flows_by_state(counters)}});
  }
  return {{"workers", rows}};
}

// Names that events had in the version before: their rows stay beside the new ones for this
// version.
struct OldName {
  Event event;
  const char* name;
};
constexpr OldName kOldNames[] = {{Event::flows_closed_available, "flows_closed_clean"},
                                 {Event::flows_closed_time_wait, "flows_closed_held"}};

json view_counters(const DataplaneManager& dataplane) {
  json rows = json::array();
  const auto add = [&](const net::CounterText& text, const char* kind, auto counter_of) {
    uint64_t value = 0;
    for (const auto& worker : dataplane.workers()) value += counter_of(worker->counters()).value();
    rows.push_back({{"name", text.name}, {"kind", kind}, {"value", value}, {"help", text.help}});
  };
  for (size_t i = 0; i < kEventCount; ++i) {
    add(
        kEventTexts[i], "event", [i](const WorkerCounters& c) -> auto& { return c.events[i]; });
  }
  for (const OldName& old : kOldNames) {
    json row = rows[static_cast<size_t>(old.event)];
    row["alias_of"] = std::exchange(row["name"], old.name);
    rows.push_back(std::move(row));
  }
  for (size_t i = 0; i < net::kDropReasonCount; ++i) {
    add(
        net::kDropReasonTexts[i],
        "drop", [i](const WorkerCounters& c) -> auto& { return c.drops[i]; });
  }
  return {{"counters", rows}};
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
