// SPDX-License-Identifier: BSD-3-Clause
// Prometheus metrics on control.metrics_listen, served by a thread of their own.
//
// The control thread hands over finished samples once a second; the HTTP thread only ever reads the
// last set, so it can neither see half a change nor hold anyone up.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/net/address.h"

namespace prometheus {
class Exposer;
}

namespace sluice::control {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Builds metric families from single samples.
class MetricSamples {
 public:
  void counter(const std::string& name, const std::string& help, Labels labels, double value);
  void gauge(const std::string& name, const std::string& help, Labels labels, double value);
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

class Metrics {
 public:
  // Throws std::exception when the address cannot be listened on; check_metrics_port() comes first
  // and says why in words.
  explicit Metrics(net::Endpoint listen);
  ~Metrics();

  void publish(std::vector<prometheus::MetricFamily> families);

 private:
  class Latest : public prometheus::Collectable {
   public:
    std::vector<prometheus::MetricFamily> Collect() const override {
      const std::lock_guard lock(mutex_);
      return families_;
    }
    void set(std::vector<prometheus::MetricFamily> families) {
      const std::lock_guard lock(mutex_);
      families_ = std::move(families);
    }

   private:
    mutable std::mutex mutex_;
    std::vector<prometheus::MetricFamily> families_;
  };

  std::shared_ptr<Latest> latest_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace sluice::control
