// SPDX-License-Identifier: BSD-3-Clause
// How fast counters grow: per second since the last sample, and over the last ten; and where levels
// are heading.
//
// Works on rows of `show`, by a key that tells rows apart; a row that is not seen in a sample is
// forgotten with the next.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::control {

class Rates {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kRecentSamples = 10;
  static constexpr size_t kTrendSamples = 60;

  // Begins a sample.
  void begin(Clock::time_point now);
  // Puts FIELD_per_s and FIELD_recent beside each field. A row that is new, or whose counters began
  // anew, has not grown.
  void add(const std::string& key, nlohmann::json& row, const std::vector<std::string>& fields);
  // Puts FIELD_trend beside each field that rises and falls: its growth per second, the slope of
  // the line that fits the last minute best. 0 for a row that has been seen less than ten times.
  void add_trends(const std::string& key, nlohmann::json& row,
                  const std::vector<std::string>& fields);

 private:
  struct Track {
    uint64_t sample = 0;  // in which it was seen last
    // By field; the newest of kRecentSamples + 1 values last, fewer while it is young.
    std::vector<std::vector<uint64_t>> values;
    struct Severity {
      double at_s;
      double value;
    };
    std::vector<std::deque<Severity>> levels;  // of kTrendSamples
  };

  static double slope_of(const std::deque<Track::Severity>& levels);

  std::map<std::string, Track> tracks_;
  Clock::time_point last_{};
  double seconds_ = 1;  // of the last interval
  uint64_t sample_ = 0;
};

}  // namespace sluice::control
