// SPDX-License-Identifier: BSD-3-Clause
// Samples put into families, and the meeting of the HTTP thread with the control thread.
#include "control/daemon/export/metrics.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <system_error>

#include "control/common/errors.h"
#include "control/config/address_text.h"

namespace sluice::control {
namespace {

constexpr std::chrono::seconds kMadeEvery{1};
// Behind it others wait for their answer.
constexpr std::chrono::milliseconds kControlWaits{700};

HttpAnswer exposition_of(const std::vector<prometheus::MetricFamily>& families) {
  return {200, "text/plain; version=0.0.4; charset=utf-8",
          std::make_shared<const std::string>(prometheus::TextSerializer().Serialize(families))};
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

Metrics::Metrics(LoopCall& calls, const IpEndpoint& listen, Collect collect) try
    : calls_(calls),
      collect_(std::move(collect)),
      server_(listen, [this](std::string_view path) { return answer(path); }) {
} catch (const std::system_error& error) {
  throw StartError(fmt::format("control.metrics_listen {}: {}", to_string(listen), error.what()));
}

HttpAnswer Metrics::answer(std::string_view path) {
  if (path != "/metrics") return plain_answer(404, "there is only /metrics\n");
  const auto now = std::chrono::steady_clock::now();
  if (latest_.body && now < next_) return latest_;
  std::vector<prometheus::MetricFamily> families;
  // Without an answer in time there is nothing: the scrape shows the gap.
  latest_ = calls_.run([&] { families = collect_(); }, kControlWaits)
                ? exposition_of(families)
                : plain_answer(503, "the control thread does not answer\n");
  next_ = now + kMadeEvery;
  return latest_;
}

}  // namespace sluice::control
