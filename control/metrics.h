// SPDX-License-Identifier: BSD-3-Clause
// Prometheus metrics on control.metrics_listen, served by a thread of their own.
//
// The samples are made when somebody asks, by the control thread, for which the HTTP thread waits.
// Where nobody scrapes they cost nothing.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/loop_call.h"
#include "dataplane/net/address.h"

namespace prometheus {
class Exposer;
}

namespace sluice::control {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Builds metric families from single samples; those of one family come one after the other.
class MetricSamples {
 public:
  void add(prometheus::MetricType type, const char* name, const char* help, Labels labels,
           double value);
  // `counts` has one more than `bounds`: what is above the last of them.
  void add_histogram(const char* name, const char* help, Labels labels,
                     const std::vector<double>& bounds, const std::vector<uint64_t>& counts,
                     double sum);
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& metric(prometheus::MetricType type, const char* name, const char* help,
                                   Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

class Metrics {
 public:
  using Collect = std::function<std::vector<prometheus::MetricFamily>()>;

  // `collect` runs on the loop. Throws std::exception when the address cannot be listened on;
  // check_listen_ports() comes first and says why in words.
  Metrics(LoopCall& calls, net::Endpoint listen, Collect collect);
  ~Metrics();

 private:
  class Source : public prometheus::Collectable {
   public:
    Source(LoopCall& calls, Metrics::Collect collect)
        : calls_(calls), collect_(std::move(collect)) {}
    std::vector<prometheus::MetricFamily> Collect() const override;

   private:
    LoopCall& calls_;
    Metrics::Collect collect_;
  };

  std::shared_ptr<Source> source_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace sluice::control
