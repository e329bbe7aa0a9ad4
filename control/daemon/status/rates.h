// SPDX-License-Identifier: BSD-3-Clause
// How fast counters grow: per second since the last sample, and over the last ten; and where levels
// are heading.
//
// Works on rows, by a key that tells rows apart: every Watched and Trended field of a row is kept.
// A row that is not seen in a sample is forgotten with the next.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "control/common/row_fields.h"

namespace sluice::control {

class Rates {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kRecentSamples = 10;
  static constexpr size_t kTrendSamples = 60;

  // Begins a sample.
  void begin(Clock::time_point now);
  // Says of each counter how it has grown, and of each level its trend: the slope of the line that
  // fits the last minute best, 0 for a row that has been seen less than ten times. A row that is
  // new, or whose counters began anew, has not grown.
  template <class Row>
  void add(const std::string& key, Row& row) {
    Track& track = tracks_[key];
    track.sample = sample_;
    size_t counters = 0, levels = 0;
    for_each_field<Row>([&](const RowField<Row>&, auto member) {
      using Value = std::remove_cvref_t<decltype(row.*member)>;
      if constexpr (std::is_same_v<Value, Watched>) grow(track, counters++, row.*member);
      if constexpr (std::is_same_v<Value, Trended>) follow(track, levels++, row.*member);
    });
  }

 private:
  struct Level {
    double at_s;
    double value;
  };
  struct Track {
    uint64_t sample = 0;  // in which it was seen last
    // By counter; the newest of kRecentSamples + 1 values last, fewer while it is young.
    std::vector<std::vector<uint64_t>> values;
    std::vector<std::deque<Level>> levels;  // of kTrendSamples
  };

  static double slope_of(const std::deque<Level>& levels);
  void grow(Track& track, size_t counter, Watched& field) const;
  void follow(Track& track, size_t level, Trended& field) const;

  std::map<std::string, Track> tracks_;
  Clock::time_point last_{};
  double seconds_ = 1;  // of the last interval
  uint64_t sample_ = 0;
};

}  // namespace sluice::control
