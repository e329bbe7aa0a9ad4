// SPDX-License-Identifier: BSD-3-Clause
// The exposer, its meeting with the control thread, and samples put into families.
#include "control/metrics.h"

#include <prometheus/exposer.h>

#include <limits>

namespace sluice::control {
namespace {

// For civetweb. Who connects and says nothing holds a thread until the time-out, and no longer.
std::vector<std::string> http_options(net::Endpoint listen) {
  return {
      "listening_ports", net::to_string(listen), "num_threads", "8", "request_timeout_ms", "5000"};
}

}  // namespace

// ---- samples -----------------------------------------------------------------------------------

prometheus::ClientMetric& MetricSamples::metric(prometheus::MetricType type, const char* name,
                                                const char* help, Labels labels) {
  if (families_.empty() || families_.back().name != name) {
    families_.push_back({name, help, type, {}});
  }
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  for (auto& [label, value] : labels) metric.label.push_back({label, std::move(value)});
  return metric;
}

void MetricSamples::add(prometheus::MetricType type, const char* name, const char* help,
                        Labels labels, double value) {
  prometheus::ClientMetric& added = metric(type, name, help, std::move(labels));
  if (type == prometheus::MetricType::Counter) {
    added.counter.value = value;
  } else {
    added.gauge.value = value;
  }
}

void MetricSamples::add_histogram(const char* name, const char* help, Labels labels,
                                  const std::vector<double>& bounds,
                                  const std::vector<uint64_t>& counts, double sum) {
  auto& histogram =
      metric(prometheus::MetricType::Histogram, name, help, std::move(labels)).histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({cumulative, bound});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = sum;
}

// ---- the two threads ---------------------------------------------------------------------------

std::vector<prometheus::MetricFamily> Metrics::Source::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  // Without an answer in time there is nothing: the scrape shows the gap.
  calls_.run([&] { families = collect_(); });
  return families;
}

Metrics::Metrics(LoopCall& calls, net::Endpoint listen, Collect collect)
    : source_(std::make_shared<Source>(calls, std::move(collect))),
      exposer_(std::make_unique<prometheus::Exposer>(http_options(listen))) {
  exposer_->RegisterCollectable(source_);
}

Metrics::~Metrics() = default;

}  // namespace sluice::control
