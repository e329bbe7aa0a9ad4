// SPDX-License-Identifier: BSD-3-Clause
// Percentiles are exact: every time is kept, and sorted once at the end.
#include "tests/tools/report.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace sluice::tools {
namespace {

constexpr std::array kQuantiles = {std::pair{"p50", 0.5}, std::pair{"p99", 0.99},
                                   std::pair{"p999", 0.999}, std::pair{"max", 1.0}};

double ms(int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

double quantile_ms(const std::vector<int64_t>& sorted_ns, double quantile) {
  if (sorted_ns.empty()) return 0;
  const auto last = static_cast<double>(sorted_ns.size() - 1);
  return ms(sorted_ns[static_cast<size_t>(std::ceil(last * quantile))]);
}

nlohmann::ordered_json quantiles_ms(std::vector<int64_t>& times_ns) {
  std::sort(times_ns.begin(), times_ns.end());
  nlohmann::ordered_json row;
  for (const auto& [label, quantile] : kQuantiles) row[label] = quantile_ms(times_ns, quantile);
  return row;
}

std::string text(const sockaddr_in& address) {
  char ip[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &address.sin_addr, ip, sizeof ip);
  return fmt::format("{}:{}", ip, ntohs(address.sin_port));
}

}  // namespace

Report::Report(FILE* log) : log_(log) {
  if (log_) fmt::print(log_, "opened_ns,connect_ms,request_ms,outcome,client,backend\n");
}

void Report::add(const Result& result) {
  ++counts_[static_cast<size_t>(result.outcome)];
  const bool connected = result.connect_ns >= 0;
  if ((connected ? result.connect_ns : result.request_ns) >= kStallNs) ++stalls_;
  if (connected) connects_ns_.push_back(result.connect_ns);
  if (result.outcome == Outcome::succeeded) {
    requests_ns_.push_back(result.request_ns);
    ++backends_[result.backend];
  }
  if (log_) {
    fmt::print(log_, "{},{:.3f},{:.3f},{},{},{}\n", result.opened_ns, ms(result.connect_ns),
               ms(result.request_ns), name(result.outcome), text(result.from), result.backend);
  }
}

uint64_t Report::opened() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

std::string Report::json(double seconds) {
  nlohmann::ordered_json all;
  all["opened"] = opened();
  all["seconds"] = seconds;
  all["rate"] = static_cast<double>(count(Outcome::succeeded)) / seconds;
  for (int i = 0; i < kOutcomeCount; ++i) {
    all[name(static_cast<Outcome>(i))] = counts_[static_cast<size_t>(i)];
  }
  all["failed"] = opened() - count(Outcome::succeeded);
  all["stalls"] = stalls_;
  all["connect_ms"] = quantiles_ms(connects_ns_);
  all["request_ms"] = quantiles_ms(requests_ns_);
  all["backends"] = backends_;
  return all.dump();
}

std::string Report::table(double seconds) {
  std::string lines =
      fmt::format("connections   {} in {:.1f} s: {:.0f}/s succeeded\n", opened(), seconds,
                  static_cast<double>(count(Outcome::succeeded)) / seconds);
  for (int i = 0; i < kOutcomeCount; ++i) {
    lines +=
        fmt::format("  {:<12}{}\n", name(static_cast<Outcome>(i)), counts_[static_cast<size_t>(i)]);
  }
  lines +=
      fmt::format("stalls        {} (connect of {:.1f} s or more)\n", stalls_, ms(kStallNs) / 1e3);
  lines += "              p50 ms    p99 ms    p99.9 ms  max ms\n";
  for (auto* times : {&connects_ns_, &requests_ns_}) {
    lines += times == &connects_ns_ ? "connect       " : "request       ";
    const auto row = quantiles_ms(*times);
    for (const auto& value : row) lines += fmt::format("{:<10.2f}", value.get<double>());
    lines += '\n';
  }
  for (const auto& [backend, served] : backends_) {
    lines += fmt::format("backend       {} served {}\n", backend, served);
  }
  return lines;
}

}  // namespace sluice::tools
