// SPDX-License-Identifier: BSD-3-Clause
// The exposer, and samples put into families.
#include "control/metrics.h"

#include <prometheus/exposer.h>

#include <algorithm>

namespace sluice::control {
namespace {

constexpr size_t kHttpThreads = 1;

}  // namespace

prometheus::ClientMetric& MetricSamples::add(const std::string& name, const std::string& help,
                                             prometheus::MetricType type, Labels labels) {
  auto family = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
  if (family == families_.end()) {
    families_.push_back({name, help, type, {}});
    family = families_.end() - 1;
  }
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  for (auto& [label, value] : labels) metric.label.push_back({label, value});
  return metric;
}

void MetricSamples::counter(const std::string& name, const std::string& help, Labels labels,
                            double value) {
  add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
}

void MetricSamples::gauge(const std::string& name, const std::string& help, Labels labels,
                          double value) {
  add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
}

Metrics::Metrics(net::Endpoint listen)
    : latest_(std::make_shared<Latest>()),
      exposer_(std::make_unique<prometheus::Exposer>(net::to_string(listen), kHttpThreads)) {
  exposer_->RegisterCollectable(latest_);
}

Metrics::~Metrics() = default;

void Metrics::publish(std::vector<prometheus::MetricFamily> families) {
  latest_->set(std::move(families));
}

}  // namespace sluice::control
