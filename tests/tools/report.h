// SPDX-License-Identifier: BSD-3-Clause
// Gathers the results of all connections: counts, stalls and percentiles, as a table or as JSON.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/connection.h"

namespace sluice::tools {

// A lost or unanswered SYN is sent again after one second: a connect this long met one.
constexpr int64_t kStallNs = 900'000'000;

class Report {
 public:
  // With `log`, each connection also becomes a line there:
  // opened_ns,connect_ms,request_ms,outcome,client,backend
  explicit Report(FILE* log);

  void add(const Result& result);
  std::string table(double seconds);
  std::string json(double seconds);
  uint64_t count(Outcome outcome) const { return counts_[static_cast<size_t>(outcome)]; }
  uint64_t opened() const;

 private:
  FILE* log_;
  std::array<uint64_t, kOutcomeCount> counts_ = {};
  uint64_t stalls_ = 0;
  std::map<std::string, uint64_t> backends_;
  std::vector<int64_t> connects_ns_;
  std::vector<int64_t> requests_ns_;
};

}  // namespace sluice::tools
