// SPDX-License-Identifier: BSD-3-Clause
// Medians, and figures as one line of JSON.
#pragma once

#include <rte_cycles.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

namespace sluice::bench {

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// {"name": .., more}; printed when it goes.
class Figures {
 public:
  explicit Figures(const char* name) { text("name", name); }
  Figures(const Figures&) = delete;
  Figures& operator=(const Figures&) = delete;
  ~Figures() {
    std::printf("{%s}\n", line_.c_str());
    std::fflush(stdout);
  }

  void text(const char* key, const char* value) { add(key, '"' + std::string(value) + '"'); }
  void count(const char* key, uint64_t value) { add(key, std::to_string(value)); }
  void value(const char* key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.2f", value);
    add(key, digits);
  }
  /// Ticks a packet, and the Mpps that they make.
  void packet(double ticks) {
    value("ticks_per_packet", ticks);
    value("mpps", static_cast<double>(rte_get_tsc_hz()) / ticks / 1e6);
  }

 private:
  void add(const char* key, const std::string& value) {
    if (!line_.empty()) line_ += ", ";
    line_ += '"' + std::string(key) + "\": " + value;
  }
  std::string line_;
};

}  // namespace sluice::bench
