// SPDX-License-Identifier: BSD-3-Clause
// Counters and identities put into rows. The fields are what scripts rely on: names stay.
#include "control/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

uint64_t backend_sum(const Balancer& balancer, BackendId id, Counter BackendState::*counter) {
  return balancer.keeper().sum(&Registry::backends, id, counter);
}

// A counter of a service that is kept for each backend.
uint64_t sum_over_backends(const Balancer& balancer, net::Endpoint vip,
                           Counter BackendState::*counter) {
  uint64_t total = 0;
  for (const auto& [key, backend] : balancer.keeper().backends()) {
    if (key.vip == vip) total += backend_sum(balancer, backend.id, counter);
  }
  return total;
}

const char* state_of(const BackendEntry& backend) {
  if (backend.removed) return "removed";
  return backend.weight == 0 ? "draining" : "up";
}

json flow_row(const Flow& flow, uint32_t now_ms) {
  return {{"client", net::to_string(flow.client())},
          {"vip", net::to_string(flow.vip())},
          {"local", net::to_string(flow.local())},
          {"backend", net::to_string(flow.backend_address())},
          {"state", name_of(flow.tcp.state())},
          {"idle_ms", now_ms - flow.last_seen_ms},
          {"ts_offset", static_cast<int32_t>(flow.shift.timestamp)},
          {"seq_offset", static_cast<int32_t>(flow.shift.sequence)},
          {"packets_in", flow.packets_in},
          {"packets_out", flow.packets_out}};
}

uint64_t drops_of(const Worker& worker) {
  uint64_t total = 0;
  for (const Counter& drop : worker.counters().drops) total += drop.value();
  return total;
}

}  // namespace

json view_services(const Balancer& balancer) {
  json rows = json::array();
  for (const ServiceConfig& service : balancer.config().services) {
    const ServiceId id = balancer.keeper().services().at(service.vip).id;
    const auto sum = [&](Counter ServiceState::*counter) {
      return balancer.keeper().sum(&Registry::services, id, counter);
    };
    rows.push_back({{"name", service.name},
                    {"vip", net::to_string(service.vip)},
                    {"protocol", to_string(service.protocol)},
                    {"scheduler", to_string(service.scheduler)},
                    {"local_pool", service.local_pool},
                    {"tcp_timestamps", to_string(service.tcp_timestamps)},
                    {"backends", service.backends.size()},
                    {"active", sum_over_backends(balancer, service.vip, &BackendState::active)},
                    {"connections", sum(&ServiceState::connections)},
                    {"refused", sum(&ServiceState::refused)}});
  }
  return {{"services", rows}};
}

json view_backends(const Balancer& balancer) {
  json rows = json::array();
  for (const auto& [key, backend] : balancer.keeper().backends()) {
    const auto sum = [&, id = backend.id](Counter BackendState::*counter) {
      return backend_sum(balancer, id, counter);
    };
    rows.push_back({{"service", backend.service},
                    {"address", net::to_string(key.address)},
                    {"weight", backend.weight},
                    {"state", state_of(backend)},
                    {"active", sum(&BackendState::active)},
                    {"connections", sum(&BackendState::connections)},
                    {"packets_in", sum(&BackendState::packets_in)},
                    {"packets_out", sum(&BackendState::packets_out)},
                    {"bytes_in", sum(&BackendState::bytes_in)},
                    {"bytes_out", sum(&BackendState::bytes_out)},
                    {"refused", sum(&BackendState::refused)},
                    {"resets", sum(&BackendState::resets)},
                    {"timeouts", sum(&BackendState::timeouts)},
                    {"heals", sum(&BackendState::heals)},
                    {"heal_moves", sum(&BackendState::heal_moves)},
                    {"heals_succeeded", sum(&BackendState::heals_succeeded)},
                    {"heals_failed", sum(&BackendState::heals_failed)}});
  }
  return {{"backends", rows}};
}

json view_pools(const Balancer& balancer) {
  json rows = json::array();
  for (const auto& [key, pool] : balancer.keeper().pools()) {
    for (size_t worker = 0; worker < balancer.workers().size(); ++worker) {
      const auto& ports = balancer.keeper().registries()[worker]->pools[pool.id]->ports;
      const PortPool::Counters& counters = ports.counters();
      rows.push_back({{"local", net::to_string(key.local)},
                      {"backend", net::to_string(key.backend)},
                      {"worker", worker},
                      {"removed", pool.removed},
                      {"ports", pool.range.size()},
                      {"free", counters.clean.value()},
                      {"resting", counters.held.value()},
                      {"in_use", counters.in_use.value()},
                      {"peak", counters.peak.value()},
                      {"taken", counters.taken.value()},
                      {"fresh", counters.fresh.value()},
                      {"reuse_clean", counters.reuse_clean.value()},
                      {"reuse_rested", counters.reuse_rested.value()},
                      {"reuse_natural", counters.reuse_natural.value()},
                      {"reuse_fitted", counters.reuse_fitted.value()},
                      {"ts_fixes", counters.tsval_fixes.value()},
                      {"seq_fixes", counters.sequence_fixes.value()},
                      {"heals", counters.heals.value()},
                      {"exhausted", counters.exhausted.value()},
                      {"avoided", counters.avoided.value()}});
    }
  }
  return {{"pools", rows}};
}

json view_workers(const Balancer& balancer, const std::vector<double>& busy_percent) {
  json rows = json::array();
  for (size_t i = 0; i < balancer.workers().size(); ++i) {
    const Worker& worker = *balancer.workers()[i];
    const WorkerCounters& counters = worker.counters();
    rows.push_back({{"lcore", worker.lcore()},
                    {"packets_in", counters.packets_in.value()},
                    {"packets_out", counters.packets_out.value()},
                    {"bytes_in", counters.bytes_in.value()},
                    {"bytes_out", counters.bytes_out.value()},
                    {"drops", drops_of(worker)},
                    {"flows", worker.flow_count()},
                    {"flows_max", worker.flow_count_max()},
                    {"busy_percent", i < busy_percent.size() ? busy_percent[i] : 0.0},
                    {"polls", counters.polls.value()}});
  }
  return {{"workers", rows}};
}

json view_counters(const Balancer& balancer) {
  json rows = json::array();
  const auto add = [&](const net::CounterText& text, const char* kind, auto counter_of) {
    uint64_t value = 0;
    for (const auto& worker : balancer.workers()) value += counter_of(worker->counters()).value();
    rows.push_back({{"name", text.name}, {"kind", kind}, {"value", value}, {"help", text.help}});
  };
  for (size_t i = 0; i < kEventCount; ++i) {
    add(
        kEventTexts[i], "event", [i](const WorkerCounters& c) -> auto& { return c.events[i]; });
  }
  for (size_t i = 0; i < net::kDropReasonCount; ++i) {
    add(
        net::kDropReasonTexts[i],
        "drop", [i](const WorkerCounters& c) -> auto& { return c.drops[i]; });
  }
  return {{"counters", rows}};
}

json view_flows(const Balancer& balancer, size_t row_count_max) {
  json rows = json::array();
  uint64_t total = 0;
  for (const auto& worker : balancer.workers()) {
    ListFlows errand(row_count_max - rows.size());
    if (!worker->run(errand)) continue;
    total += errand.flow_count();
    for (const Flow& flow : errand.rows()) rows.push_back(flow_row(flow, errand.now_ms()));
  }
  return {{"flows", rows}, {"total", total}};
}

}  // namespace sluice::control
