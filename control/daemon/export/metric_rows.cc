// SPDX-License-Identifier: BSD-3-Clause
// One list says which fields of which rows are metrics; docs/metrics.md says what they mean.
#include "control/daemon/export/metric_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/daemon/status/views.h"
#include "dataplane/state/histogram.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using prometheus::MetricType;

// One sample of a metric in each row: its value's field and, where a metric has several in a row,
// what its label says.
struct Sample {
  const char* key;
  const char* label_value = nullptr;
};

struct Metric {
  MetricType type;
  const char* name;
  const char* help;
  std::vector<Sample> samples;
  const char* label = nullptr;  // that tells the samples of a row apart
  double unit = 1;              // of the field, in that of the metric
};

// A field that tells rows apart, and the name of its label.
struct RowLabel {
  const char* key;
  const char* name;
};

struct Rows {
  const char* what;  // of `show`
  std::vector<RowLabel> labels;
  std::vector<Metric> metrics;
};

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

const std::vector<Rows> kRows = {
    {"program",
     {},
     {{kGauge, "process_start_time_seconds", "Unix time of the start", {{"start_s"}}},
      {kGauge, "sluice_draining", "1 while the balancer takes no new flows", {{"draining"}}},
      {kGauge, "sluice_overrides", "Backends with an override over the file", {{"overrides"}}},
      {kGauge,
       "sluice_config_last_reload_successful",
       "0 when the last reload was refused",
       {{"last_reload_succeeded"}}},
      {kGauge,
       "sluice_config_last_reload_success_timestamp_seconds",
       "Unix time at which the configuration in force was read",
       {{"last_reload_success_s"}}},
      {kCounter,
       "sluice_config_reloads_total",
       "Reloads asked for",
       {{"reloads", "success"}, {"reloads_failed", "failure"}},
       "result"}}},
    {"services",
     {{"name", "service"}, {"vip", "vip"}},
     {{kGauge, "sluice_service_backends", "Backends configured", {{"backends"}}},
      {kGauge, "sluice_service_active_flows", "Flows that are not over", {{"active"}}},
      {kCounter, "sluice_service_flows_total", "Flows opened", {{"connections"}}},
      {kCounter,
       "sluice_service_refused_syns_total",
       "SYNs refused: no backend, no port, no flow entry, or a drain",
       {{"refused"}}}}},
    {"backends",
     {{"service", "service"}, {"address", "backend"}},
     {{kGauge, "sluice_backend_weight", "Weight that counts; 0 takes no new flows", {{"weight"}}},
      {kGauge, "sluice_backend_configured_weight", "Weight in the file", {{"weight_configured"}}},
      {kGauge,
       "sluice_backend_healthy",
       "0 while its health check keeps new flows away; 1 without a check",
       {{"healthy"}}},
      {kGauge,
       "sluice_backend_slow_start_ratio",
       "Share of its weight that a slow start gives it; 1 otherwise",
       {{"share_percent"}},
       nullptr,
       0.01},
      {kCounter,
       "sluice_backend_health_checks_total",
       "Health checks, by what they found",
       {{"checks_good", "good"}, {"checks_bad", "bad"}},
       "result"},
      {kGauge,
       "sluice_backend_last_health_check_seconds",
       "How long the last health check took",
       {{"check_ms"}},
       nullptr,
       0.001},
      {kGauge, "sluice_backend_active_flows", "Flows that are not over", {{"active"}}},
      {kCounter, "sluice_backend_flows_total", "Flows opened", {{"connections"}}},
      {kCounter,
       "sluice_backend_packets_total",
       "Packets forwarded to it (in) and from it (out)",
       {{"packets_in", "in"}, {"packets_out", "out"}},
       "direction"},
      {kCounter,
       "sluice_backend_bytes_total",
       "Bytes of these packets, from the IP header on",
       {{"bytes_in", "in"}, {"bytes_out", "out"}},
       "direction"},
      {kCounter, "sluice_backend_answered_syns_total", "SYN-ACKs that it sent", {{"answered"}}},
      {kCounter,
       "sluice_backend_unanswered_syns_total",
       "SYNs that clients sent again because it had not answered",
       {{"unanswered"}}},
      {kCounter,
       "sluice_backend_refused_syns_total",
       "SYNs that it answered with RST",
       {{"refused"}}},
      {kGauge,
       "sluice_backend_half_open_flows",
       "Flows whose handshake is not finished",
       {{"half_open"}}},
      {kCounter,
       "sluice_backend_half_open_evicted_total",
       "Unfinished handshakes that made way for newer ones",
       {{"half_open_evicted"}}},
      {kCounter,
       "sluice_backend_deferred_syns_total",
       "SYNs dropped in a flood until their clients repeat them",
       {{"syns_deferred"}}},
      {kCounter, "sluice_backend_reset_flows_total", "Flows ended by RST", {{"resets"}}},
      {kCounter,
       "sluice_backend_timed_out_flows_total",
       "Flows ended by idle time",
       {{"timeouts"}}},
      {kCounter,
       "sluice_backend_heals_total",
       "Stale answers met with a RST and the SYN again",
       {{"heals"}}},
      {kCounter,
       "sluice_backend_heal_moves_total",
       "Heals that took another local port",
       {{"heal_moves"}}},
      {kCounter,
       "sluice_backend_healed_flows_total",
       "Healed flows that it then answered",
       {{"heals_succeeded"}}},
      {kCounter,
       "sluice_backend_unhealed_flows_total",
       "Flows given up after four heals",
       {{"heals_failed"}}}}},
    {"pools",
     {{"local", "local"}, {"backend", "backend"}, {"worker", "worker"}},
     {{kGauge,
       "sluice_pool_ports",
       "Local ports by state",
       {{"free", "free"}, {"resting", "resting"}, {"in_use", "in_use"}},
       "state"},
      {kGauge, "sluice_pool_peak_ports", "Most ports in use at a time", {{"peak"}}},
      {kCounter,
       "sluice_pool_grants_total",
       "Ports given out, by what was left of their tuple",
       {{"fresh", "fresh"},
        {"reuse_clean", "clean"},
        {"reuse_rested", "rested"},
        {"reuse_natural", "natural"},
        {"reuse_fitted", "fitted"}},
       "kind"},
      {kCounter,
       "sluice_pool_fixes_total",
       "Offsets that the fitted ones needed",
       {{"ts_fixes", "tsval"}, {"seq_fixes", "sequence"}},
       "kind"},
      {kCounter, "sluice_pool_heals_total", "Stale answers met on its ports", {{"heals"}}},
      {kCounter,
       "sluice_pool_avoided_total",
       "SYNs that could not go as they were on the port that had rested longest",
       {{"avoided"}}},
      {kCounter, "sluice_pool_exhausted_total", "SYNs that found no port", {{"exhausted"}}}}},
    {"workers",
     {{"lcore", "lcore"}},
     {{kCounter,
       "sluice_worker_packets_total",
       "Frames received (in) and sent (out)",
       {{"packets_in", "in"}, {"packets_out", "out"}},
       "direction"},
      {kCounter,
       "sluice_worker_bytes_total",
       "Bytes of these frames",
       {{"bytes_in", "in"}, {"bytes_out", "out"}},
       "direction"},
      {kCounter, "sluice_worker_polls_total", "Bursts asked for", {{"polls"}}},
      {kGauge,
       "sluice_worker_flow_entries",
       "Flow entries in use, over ones included",
       {{"flows"}}},
      {kGauge, "sluice_worker_flow_entries_limit", "Flow entries there are", {{"flows_max"}}},
      {kGauge, "sluice_worker_buffers", "Packet buffers in use", {{"buffers_used"}}},
      {kGauge, "sluice_worker_buffers_limit", "Packet buffers there are", {{"buffers"}}},
      {kGauge,
       "sluice_worker_busy_ratio",
       "Share of the last second that went into turns of the loop that found packets",
       {{"busy_percent"}},
       nullptr,
       0.01}}},
    {"interfaces",
     {{"name", "interface"}},
     {{kGauge, "sluice_interface_up", "1 while the link is up", {{"link_up"}}},
      {kCounter,
       "sluice_interface_packets_total",
       "Packets that the device counts",
       {{"packets_in", "in"}, {"packets_out", "out"}},
       "direction"},
      {kCounter,
       "sluice_interface_bytes_total",
       "Bytes that the device counts",
       {{"bytes_in", "in"}, {"bytes_out", "out"}},
       "direction"},
      {kCounter,
       "sluice_interface_errors_total",
       "Frames with errors that the device counts",
       {{"rx_errors", "in"}, {"tx_errors", "out"}},
       "direction"},
      {kCounter,
       "sluice_interface_missed_packets_total",
       "Packets that found no receive descriptor: the worker was too slow",
       {{"missed"}}},
      {kCounter,
       "sluice_interface_no_buffer_total",
       "Receptions that found no packet buffer",
       {{"no_buffer"}}}}},
};

// Those that are made of whole rows.
constexpr const char* kBuildInfo = "sluice_build_info";
constexpr const char* kBackendState = "sluice_backend_state";
constexpr const char* kXstats = "sluice_interface_xstats_total";
constexpr const char* kHandshakes = "sluice_backend_handshake_seconds";
constexpr const char* kBursts = "sluice_worker_burst_packets";
constexpr const char* kFlows = "sluice_worker_flows";
constexpr const char* kDrops = "sluice_drops_total";
constexpr const char* kEvents = "sluice_events_total";

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

double number_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return value.is_null() ? 0 : value.get<double>();
}

void add_metric(MetricSamples& samples, const Rows& rows, const Metric& metric, const json& list) {
  for (const json& row : list) {
    Labels labels;
    for (const RowLabel& label : rows.labels) {
      labels.emplace_back(label.name, text_of(row.at(label.key)));
    }
    for (const Sample& sample : metric.samples) {
      Labels all = labels;
      if (metric.label != nullptr) all.emplace_back(metric.label, sample.label_value);
      const double value = metric.unit * number_of(row.at(sample.key));
      samples.add(metric.type, metric.name, metric.help, std::move(all), value);
    }
  }
}

// A state that is one of several: 1 for the one it is, 0 for the others.
void add_states(MetricSamples& samples, const json& backends) {
  for (const json& row : backends) {
    for (const char* state : kBackendStates) {
      const double value = row.at("state") == state ? 1 : 0;
      samples.add(
          kGauge, kBackendState, "1 for the state that the backend is in",
          {{"service", row.at("service")}, {"backend", row.at("address")}, {"state", state}},
          value);
    }
  }
}

// A histogram's bounds in the unit of its metric.
template <size_t kCount>
std::vector<double> scaled(const std::array<uint32_t, kCount>& bounds, double unit) {
  std::vector<double> out;
  for (const uint32_t bound : bounds) out.push_back(bound / unit);
  return out;
}

void add_handshakes(MetricSamples& samples, const json& backends) {
  constexpr double kMicrosecond = 1e6;
  for (const json& row : backends) {
    samples.add_histogram(kHandshakes, "From the first SYN sent to the SYN-ACK",
                          {{"service", row.at("service")}, {"backend", row.at("address")}},
                          scaled(kHandshakeBoundsUs, kMicrosecond), row.at("handshake_counts"),
                          row.at("handshake_us").get<double>() / kMicrosecond);
  }
}

void add_bursts(MetricSamples& samples, const json& workers) {
  for (const json& row : workers) {
    samples.add_histogram(kBursts, "Sizes of the bursts that brought packets",
                          {{"lcore", row.at("lcore").dump()}}, scaled(kBurstBounds, 1),
                          row.at("burst_counts"), row.at("burst_packets"));
  }
}

void add_flows(MetricSamples& samples, const json& workers) {
  for (const json& row : workers) {
    for (const auto& [state, count] : row.at("flows_by_state").items()) {
      samples.add(kGauge, kFlows, "Flow entries by state",
                  {{"lcore", row.at("lcore").dump()}, {"state", state}}, count);
    }
  }
}

void add_xstats(MetricSamples& samples, const json& interfaces) {
  for (const json& row : interfaces) {
    for (const auto& [name, value] : row.at("xstats").items()) {
      samples.add(kCounter, kXstats, "The driver's own counters, by its names",
                  {{"interface", row.at("name")}, {"xstat", name}}, value);
    }
  }
}

void add_build(MetricSamples& samples, const json& status) {
  samples.add(kGauge, kBuildInfo, "1; its labels say what runs",
              {{"version", status.at("version")}, {"dpdk", status.at("dpdk")}}, 1);
}

void add_counters(MetricSamples& samples, const json& counters) {
  for (const json& row : counters) {
    const bool drop = row.at("kind") == "drop";
    samples.add(kCounter, drop ? kDrops : kEvents,
                drop ? "Packets dropped, by reason" : "What happened, by event",
                {{drop ? "reason" : "event", row.at("name")}}, row.at("value"));
  }
}

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names = {kBuildInfo, kBackendState, kXstats, kDrops,
                                    kEvents,    kHandshakes,   kBursts, kFlows};
  for (const Rows& rows : kRows) {
    for (const Metric& metric : rows.metrics) names.emplace_back(metric.name);
  }
  return names;
}

std::vector<prometheus::MetricFamily> collect_metrics(const MetricSource& show) {
  MetricSamples samples;
  const auto rows_of = [&show](const char* what) { return show(what).at(what); };
  for (const Rows& rows : kRows) {
    const json list = rows_of(rows.what);
    for (const Metric& metric : rows.metrics) add_metric(samples, rows, metric, list);
  }
  add_build(samples, rows_of("program").at(0));
  add_states(samples, rows_of("backends"));
  add_handshakes(samples, rows_of("backends"));
  add_bursts(samples, rows_of("workers"));
  add_flows(samples, rows_of("workers"));
  add_xstats(samples, rows_of("interfaces"));
  add_counters(samples, rows_of("counters"));
  return samples.take();
}

}  // namespace sluice::control
