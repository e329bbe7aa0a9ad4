// SPDX-License-Identifier: BSD-3-Clause
// Prometheus metrics on control.metrics_listen, served by a thread of their own.
//
// The samples are made when somebody asks, by the control thread, for which the HTTP thread waits,
// and at most once a second: who asks again within it gets the same text. Where nobody scrapes they
// cost nothing.
#pragma once

#include <prometheus/metric_family.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/ip_address.h"
#include "control/daemon/export/http_server.h"
#include "control/daemon/loop/loop_call.h"

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

  // `collect` runs on the loop. Throws StartError when the address cannot be listened on.
  Metrics(LoopCall& calls, const IpEndpoint& listen, Collect collect);

 private:
  HttpAnswer answer(std::string_view path);

  LoopCall& calls_;
  Collect collect_;
  HttpAnswer latest_;  // of the server's thread
  std::chrono::steady_clock::time_point next_{};
  HttpServer server_;  // last: it calls into all of this
};

}  // namespace sluice::control
