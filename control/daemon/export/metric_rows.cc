// SPDX-License-Identifier: BSD-3-Clause
// One list says which fields of which rows are metrics; docs/metrics.md says what they mean.
#include "control/daemon/export/metric_rows.h"

#include <array>
#include <span>

#include "control/daemon/status/views.h"
#include "dataplane/state/histogram.h"

namespace sluice::control {
namespace {

using prometheus::MetricType;

// A field that is a number.
template <class Row>
using NumberMember = std::variant<Flag Row::*, Whole Row::*, Number Row::*, OptWhole Row::*,
                                  Watched Row::*, Severity Row::*>;

// One sample of a metric in each row and, where a metric has several in a row, what its label says.
template <class Row>
struct Sample {
  NumberMember<Row> member;
  const char* label_value = nullptr;
};

constexpr double kPercent = 0.01;  // ratios go from 0 to 1
constexpr double kMilliseconds = 0.001;

// A counter or a gauge, as its fields are.
template <class Row>
struct Metric {
  const char* name;
  const char* help;
  std::vector<Sample<Row>> samples;
  const char* label = nullptr;  // that tells the samples of a row apart
  double unit = 1;              // of the field, in that of the metric
};

// A field that tells rows apart, and the name of its label.
template <class Row>
struct RowLabel {
  std::variant<String Row::*, Whole Row::*> member;
  const char* name;
};

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

const std::vector<Metric<ProgramRow>> kProgramRowMetrics = {
    {"process_start_time_seconds", "Unix time of the start", {{&ProgramRow::start_s}}},
    {"sluice_draining", "1 while the balancer takes no new flows", {{&ProgramRow::draining}}},
    {"sluice_overrides", "Backends with an override over the file", {{&ProgramRow::overrides}}},
    {"sluice_config_last_reload_successful",
     "0 when the last reload was refused",
     {{&ProgramRow::last_reload_succeeded}}},
    {"sluice_config_last_reload_success_timestamp_seconds",
     "Unix time at which the configuration in force was read",
     {{&ProgramRow::last_reload_success_s}}},
    {"sluice_config_reloads_total",
     "Reloads asked for",
     {{&ProgramRow::reloads, "success"}, {&ProgramRow::reloads_failed, "failure"}},
     "result"},
};

constexpr RowLabel<ServiceRow> kServiceRowLabels[] = {
    {&ServiceRow::name, "service"}, {&ServiceRow::vip, "vip"}, {&ServiceRow::protocol, "protocol"}};
const std::vector<Metric<ServiceRow>> kServiceRowMetrics = {
    {"sluice_service_backends", "Backends configured", {{&ServiceRow::backends}}},
    {"sluice_service_active_flows", "Flows that are not over", {{&ServiceRow::active}}},
    {"sluice_service_active_flows_limit",
     "How many may be; 0 without a limit",
     {{&ServiceRow::max_connections}}},
    {"sluice_service_flows_total", "Flows opened", {{&ServiceRow::connections}}},
    {"sluice_service_refused_syns_total",
     "SYNs refused: by its guard, no backend, no port, no flow entry, or a drain",
     {{&ServiceRow::refused}}},
};

// With the VIP: a service that got another one has the backends of before as well, until their
// flows are over.
constexpr RowLabel<BackendRow> kBackendRowLabels[] = {{&BackendRow::service, "service"},
                                                      {&BackendRow::vip, "vip"},
                                                      {&BackendRow::protocol, "protocol"},
                                                      {&BackendRow::address, "backend"}};
const std::vector<Metric<BackendRow>> kBackendRowMetrics = {
    {"sluice_backend_weight", "Weight that counts; 0 takes no new flows", {{&BackendRow::weight}}},
    {"sluice_backend_configured_weight", "Weight in the file", {{&BackendRow::weight_configured}}},
    {"sluice_backend_healthy",
     "0 while its health check keeps new flows away; 1 without a check",
     {{&BackendRow::healthy}}},
    {"sluice_backend_slow_start_ratio",
     "Share of its weight that a slow start gives it; 1 otherwise",
     {{&BackendRow::share_percent}},
     nullptr,
     kPercent},
    {"sluice_backend_health_checks_total",
     "Health checks, by what they found",
     {{&BackendRow::checks_good, "good"}, {&BackendRow::checks_bad, "bad"}},
     "result"},
    {"sluice_backend_last_health_check_seconds",
     "How long the last health check took",
     {{&BackendRow::check_ms}},
     nullptr,
     kMilliseconds},
    {"sluice_backend_active_flows", "Flows that are not over", {{&BackendRow::active}}},
    {"sluice_backend_active_flows_limit",
     "How many may be; 0 without a limit",
     {{&BackendRow::max_connections}}},
    {"sluice_backend_flows_total", "Flows opened", {{&BackendRow::connections}}},
    {"sluice_backend_packets_total",
     "Packets forwarded to it (in) and from it (out)",
     {{&BackendRow::packets_in, "in"}, {&BackendRow::packets_out, "out"}},
     "direction"},
    {"sluice_backend_bytes_total",
     "Bytes of these packets, from the IP header on",
     {{&BackendRow::bytes_in, "in"}, {&BackendRow::bytes_out, "out"}},
     "direction"},
    {"sluice_backend_answered_syns_total", "SYN-ACKs that it sent", {{&BackendRow::answered}}},
    {"sluice_backend_unanswered_syns_total",
     "SYNs that clients sent again because it had not answered",
     {{&BackendRow::unanswered}}},
    {"sluice_backend_refused_syns_total",
     "SYNs that it answered with RST",
     {{&BackendRow::refused}}},
    {"sluice_backend_half_open_flows",
     "Flows whose handshake is not finished",
     {{&BackendRow::half_open}}},
    {"sluice_backend_half_open_evicted_total",
     "Unfinished handshakes that made way for newer ones",
     {{&BackendRow::half_open_evicted}}},
    {"sluice_backend_deferred_syns_total",
     "SYNs dropped in a flood until their clients repeat them",
     {{&BackendRow::syns_deferred}}},
    {"sluice_backend_reset_flows_total", "Flows ended by RST", {{&BackendRow::resets}}},
    {"sluice_backend_timed_out_flows_total", "Flows ended by idle time", {{&BackendRow::timeouts}}},
    {"sluice_backend_heals_total",
     "Stale answers met with a RST and the SYN again",
     {{&BackendRow::heals}}},
    {"sluice_backend_heal_moves_total",
     "Heals that took another local port",
     {{&BackendRow::heal_moves}}},
    {"sluice_backend_healed_flows_total",
     "Healed flows that it then answered",
     {{&BackendRow::heals_succeeded}}},
    {"sluice_backend_unhealed_flows_total",
     "Flows given up after four heals",
     {{&BackendRow::heals_failed}}},
};

constexpr RowLabel<PoolRow> kPoolRowLabels[] = {{&PoolRow::local, "local"},
                                                {&PoolRow::backend, "backend"},
                                                {&PoolRow::protocol, "protocol"},
                                                {&PoolRow::worker, "worker"}};
const std::vector<Metric<PoolRow>> kPoolRowMetrics = {
    {"sluice_pool_local_ports",
     "Local ports by state",
     {{&PoolRow::available, "available"},
      {&PoolRow::time_wait, "time_wait"},
      {&PoolRow::in_use, "in_use"}},
     "state"},
    // As the version before called it.
    {"sluice_pool_ports",
     "Old name of sluice_pool_local_ports",
     {{&PoolRow::available, "free"},
      {&PoolRow::time_wait, "resting"},
      {&PoolRow::in_use, "in_use"}},
     "state"},
    {"sluice_pool_peak_ports", "Most ports in use at a time", {{&PoolRow::peak}}},
    {"sluice_pool_ports_taken_total",
     "Ports taken, by what was left of their tuple",
     {{&PoolRow::fresh, "fresh"},
      {&PoolRow::reuse_available, "available"},
      {&PoolRow::reuse_rested, "rested"},
      {&PoolRow::reuse_natural, "natural"},
      {&PoolRow::reuse_rebased, "rebased"}},
     "kind"},
    {"sluice_pool_grants_total",
     "Old name of sluice_pool_ports_taken_total",
     {{&PoolRow::fresh, "fresh"},
      {&PoolRow::reuse_available, "clean"},
      {&PoolRow::reuse_rested, "rested"},
      {&PoolRow::reuse_natural, "natural"},
      {&PoolRow::reuse_rebased, "fitted"}},
     "kind"},
    {"sluice_pool_adjusts_total",
     "Offsets that the rebased ones needed",
     {{&PoolRow::tsval_adjusts, "tsval"}, {&PoolRow::sequence_adjusts, "sequence"}},
     "kind"},
    {"sluice_pool_fixes_total",
     "Old name of sluice_pool_adjusts_total",
     {{&PoolRow::tsval_adjusts, "tsval"}, {&PoolRow::sequence_adjusts, "sequence"}},
     "kind"},
    {"sluice_pool_heals_total", "Stale answers met on its ports", {{&PoolRow::heals}}},
    {"sluice_pool_avoided_total",
     "SYNs that could not go as they were on the port that had rested longest",
     {{&PoolRow::avoided}}},
    {"sluice_pool_exhausted_total", "SYNs that found no port", {{&PoolRow::exhausted}}},
};

constexpr RowLabel<WorkerRow> kWorkerRowLabels[] = {{&WorkerRow::lcore, "lcore"}};
const std::vector<Metric<WorkerRow>> kWorkerRowMetrics = {
    {"sluice_worker_packets_total",
     "Frames received (in) and sent (out)",
     {{&WorkerRow::packets_in, "in"}, {&WorkerRow::packets_out, "out"}},
     "direction"},
    {"sluice_worker_bytes_total",
     "Bytes of these frames",
     {{&WorkerRow::bytes_in, "in"}, {&WorkerRow::bytes_out, "out"}},
     "direction"},
    {"sluice_worker_polls_total", "Bursts asked for", {{&WorkerRow::polls}}},
    {"sluice_worker_flow_entries",
     "Flow entries in use, those of closed flows included",
     {{&WorkerRow::flows}}},
    {"sluice_worker_flow_entries_limit", "Flow entries there are", {{&WorkerRow::flows_max}}},
    {"sluice_worker_half_open_flows",
     "Handshakes that are not finished",
     {{&WorkerRow::half_open}}},
    {"sluice_worker_clients",
     "Clients of guarded services that have an entry",
     {{&WorkerRow::clients}}},
    {"sluice_worker_clients_limit", "Entries of clients there are", {{&WorkerRow::clients_max}}},
    {"sluice_worker_clients_evicted_total",
     "Clients without an established flow that made way",
     {{&WorkerRow::clients_evicted}}},
    {"sluice_worker_why_records", "Handshakes that why can tell of", {{&WorkerRow::why_kept}}},
    {"sluice_worker_buffers", "Packet buffers in use", {{&WorkerRow::buffers_used}}},
    {"sluice_worker_buffers_limit", "Packet buffers there are", {{&WorkerRow::buffers}}},
    {"sluice_worker_busy_ratio",
     "Share of the last second that went into iterations of the loop that found packets",
     {{&WorkerRow::busy_percent}},
     nullptr,
     kPercent},
};

constexpr RowLabel<InterfaceRow> kInterfaceRowLabels[] = {{&InterfaceRow::name, "interface"}};
const std::vector<Metric<InterfaceRow>> kInterfaceRowMetrics = {
    {"sluice_interface_up", "1 while the link is up", {{&InterfaceRow::link_up}}},
    {"sluice_interface_packets_total",
     "Packets that the device counts",
     {{&InterfaceRow::packets_in, "in"}, {&InterfaceRow::packets_out, "out"}},
     "direction"},
    {"sluice_interface_bytes_total",
     "Bytes that the device counts",
     {{&InterfaceRow::bytes_in, "in"}, {&InterfaceRow::bytes_out, "out"}},
     "direction"},
    {"sluice_interface_errors_total",
     "Frames with errors that the device counts",
     {{&InterfaceRow::rx_errors, "in"}, {&InterfaceRow::tx_errors, "out"}},
     "direction"},
    {"sluice_interface_missed_packets_total",
     "Packets that found no receive descriptor: the worker was too slow",
     {{&InterfaceRow::missed}}},
    {"sluice_interface_no_buffer_total",
     "Receptions that found no packet buffer",
     {{&InterfaceRow::no_buffer}}},
};

// How bad things are: 0 ok, 1 a warning, 2 critical. Of the status's rows.
constexpr const char* kSeverityHelp = "0 ok, 1 a warning, 2 critical";
constexpr RowLabel<PoolSumRow> kPoolSumLabels[] = {{&PoolSumRow::local_pool, "local_pool"},
                                                   {&PoolSumRow::backend, "backend"},
                                                   {&PoolSumRow::protocol, "protocol"}};
constexpr RowLabel<LinkRow> kLinkRowLabels[] = {{&LinkRow::name, "interface"}};
const std::vector<Metric<ServiceRow>> kServiceSeverity = {
    {"sluice_service_severity", kSeverityHelp, {{&ServiceRow::severity}}}};
const std::vector<Metric<BackendRow>> kBackendSeverity = {
    {"sluice_backend_severity", kSeverityHelp, {{&BackendRow::severity}}}};
const std::vector<Metric<PoolSumRow>> kPoolSeverity = {
    {"sluice_local_pool_severity", kSeverityHelp, {{&PoolSumRow::severity}}}};
const std::vector<Metric<WorkerRow>> kWorkerSeverity = {
    {"sluice_worker_severity", kSeverityHelp, {{&WorkerRow::severity}}}};
const std::vector<Metric<LinkRow>> kInterfaceSeverity = {
    {"sluice_interface_severity", kSeverityHelp, {{&LinkRow::severity}}}};

// Those that are made of whole rows.
constexpr const char* kBuildInfo = "sluice_build_info";
constexpr const char* kBackendState = "sluice_backend_state";
constexpr const char* kXstats = "sluice_interface_xstats_total";
constexpr const char* kHandshakes = "sluice_backend_handshake_seconds";
constexpr const char* kBursts = "sluice_worker_burst_packets";
constexpr const char* kWorkerFlows = "sluice_worker_flows";
constexpr const char* kDrops = "sluice_drops_total";
constexpr const char* kEvents = "sluice_events_total";
constexpr const char* kSeverity = "sluice_severity";

std::string label_text(const String& value) {
  return value;
}
std::string label_text(Whole value) {
  return std::to_string(value);
}

double metric_value(Flag value) {
  return value ? 1 : 0;
}
double metric_value(Whole value) {
  return static_cast<double>(value);
}
double metric_value(Number value) {
  return value;
}
double metric_value(const OptWhole& value) {
  return static_cast<double>(value.value_or(0));
}
double metric_value(const Watched& value) {
  return static_cast<double>(value.total);
}
double metric_value(Severity value) {
  return static_cast<double>(value);
}

template <class Row>
MetricType type_of(const NumberMember<Row>& member) {
  const size_t index = std::visit([](auto field) { return index_of<Row>(field); }, member);
  return FieldsOf<Row>::kList[index].kind == FieldKind::kCounter ? kCounter : kGauge;
}

template <class Row>
Labels labels_of(const Row& row, std::span<const RowLabel<Row>> labels) {
  Labels out;
  for (const RowLabel<Row>& label : labels) {
    out.emplace_back(label.name, std::visit([&row](auto field) { return label_text(row.*field); },
                                            label.member));
  }
  return out;
}

template <class Row>
void add_metrics(MetricSamples& samples, const std::vector<Metric<Row>>& metrics,
                 std::type_identity_t<std::span<const RowLabel<Row>>> labels,
                 const std::vector<Row>& rows) {
  for (const Metric<Row>& metric : metrics) {
    for (const Row& row : rows) {
      for (const Sample<Row>& sample : metric.samples) {
        Labels all = labels_of(row, labels);
        if (metric.label != nullptr) all.emplace_back(metric.label, sample.label_value);
        const double value =
            std::visit([&row](auto field) { return metric_value(row.*field); }, sample.member);
        samples.add(type_of(sample.member), metric.name, metric.help, std::move(all),
                    value * metric.unit);
      }
    }
  }
}

// A state that is one of several: 1 for the one it is, 0 for the others.
void add_states(MetricSamples& samples, const std::vector<BackendRow>& backends) {
  for (const BackendRow& row : backends) {
    for (const char* state : kBackendStates) {
      const double value = row.state == state ? 1 : 0;
      Labels labels = labels_of<BackendRow>(row, kBackendRowLabels);
      labels.emplace_back("state", state);
      samples.add(kGauge, kBackendState, "1 for the state that the backend is in",
                  std::move(labels), value);
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

void add_handshakes(MetricSamples& samples, const std::vector<BackendRow>& backends) {
  constexpr double kMicrosecond = 1e6;
  for (const BackendRow& row : backends) {
    samples.add_histogram(kHandshakes, "From the first SYN sent to the SYN-ACK",
                          labels_of<BackendRow>(row, kBackendRowLabels),
                          scaled(kHandshakeBoundsUs, kMicrosecond), row.handshake_counts,
                          static_cast<double>(row.handshake_us) / kMicrosecond);
  }
}

void add_bursts(MetricSamples& samples, const std::vector<WorkerRow>& workers) {
  for (const WorkerRow& row : workers) {
    samples.add_histogram(kBursts, "Sizes of the bursts that brought packets",
                          {{"lcore", std::to_string(row.lcore)}}, scaled(kBurstBounds, 1),
                          row.burst_counts, static_cast<double>(row.burst_packets));
  }
}

void add_flows(MetricSamples& samples, const std::vector<WorkerRow>& workers) {
  for (const WorkerRow& row : workers) {
    for (const auto& [state, count] : row.flows_by_state) {
      samples.add(kGauge, kWorkerFlows, "Flow entries by state",
                  {{"lcore", std::to_string(row.lcore)}, {"state", state}},
                  static_cast<double>(count));
    }
  }
}

void add_xstats(MetricSamples& samples, const std::vector<InterfaceRow>& interfaces) {
  for (const InterfaceRow& row : interfaces) {
    for (const auto& [name, value] : row.xstats) {
      samples.add(kCounter, kXstats, "The driver's own counters, by its names",
                  {{"interface", row.name}, {"xstat", name}}, static_cast<double>(value));
    }
  }
}

void add_build(MetricSamples& samples, const ProgramRow& program) {
  samples.add(kGauge, kBuildInfo, "1; its labels say what runs",
              {{"version", program.version}, {"dpdk", program.dpdk}}, 1);
}

void add_drops(MetricSamples& samples, const std::vector<CounterRow>& drops) {
  for (const CounterRow& row : drops) {
    samples.add(kCounter, kDrops, "Packets dropped, by reason", {{"reason", row.name}},
                metric_value(row.value));
  }
}

void add_events(MetricSamples& samples, const std::vector<CounterRow>& events) {
  for (const CounterRow& row : events) {
    samples.add(kCounter, kEvents, "What happened, by event", {{"event", row.name}},
                metric_value(row.value));
  }
}

void add_severity(MetricSamples& samples, const Status& status) {
  const Severity worst = status.findings.empty() ? Severity::kOk : status.findings.front().severity;
  samples.add(kGauge, kSeverity, "The worst finding: 0 none, 1 a warning, 2 critical", {},
              metric_value(worst));
}

template <class... Lists>
std::vector<std::string> names_of(const Lists&... lists) {
  std::vector<std::string> names;
  const auto add = [&names](const auto& list) {
    for (const auto& metric : list) names.emplace_back(metric.name);
  };
  (add(lists), ...);
  return names;
}

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names =
      names_of(kProgramRowMetrics, kServiceRowMetrics, kBackendRowMetrics, kPoolRowMetrics,
               kWorkerRowMetrics, kInterfaceRowMetrics, kServiceSeverity, kBackendSeverity,
               kPoolSeverity, kWorkerSeverity, kInterfaceSeverity);
  for (const char* name : {kBuildInfo, kBackendState, kXstats, kDrops, kEvents, kHandshakes,
                           kBursts, kWorkerFlows, kSeverity}) {
    names.emplace_back(name);
  }
  return names;
}

std::vector<prometheus::MetricFamily> collect_metrics(const ShownRows& rows, const Status& status) {
  MetricSamples samples;
  add_metrics(samples, kProgramRowMetrics, {}, {rows.program});
  add_metrics(samples, kServiceRowMetrics, kServiceRowLabels, rows.services);
  add_metrics(samples, kBackendRowMetrics, kBackendRowLabels, rows.backends);
  add_metrics(samples, kPoolRowMetrics, kPoolRowLabels, rows.pools);
  add_metrics(samples, kWorkerRowMetrics, kWorkerRowLabels, rows.workers);
  add_metrics(samples, kInterfaceRowMetrics, kInterfaceRowLabels, rows.interfaces);
  add_metrics(samples, kServiceSeverity, kServiceRowLabels, status.services);
  add_metrics(samples, kBackendSeverity, kBackendRowLabels, status.backends);
  add_metrics(samples, kPoolSeverity, kPoolSumLabels, status.pools);
  add_metrics(samples, kWorkerSeverity, kWorkerRowLabels, status.workers);
  add_metrics(samples, kInterfaceSeverity, kLinkRowLabels, status.interfaces);
  add_severity(samples, status);
  add_build(samples, rows.program);
  add_states(samples, rows.backends);
  add_handshakes(samples, rows.backends);
  add_bursts(samples, rows.workers);
  add_flows(samples, rows.workers);
  add_xstats(samples, rows.interfaces);
  add_drops(samples, rows.drops);
  add_events(samples, rows.events);
  return samples.take();
}

}  // namespace sluice::control
