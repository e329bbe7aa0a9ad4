// SPDX-License-Identifier: BSD-3-Clause
// Differences of counters over time.
#include "control/daemon/status/rates.h"

#include <algorithm>
#include <cmath>

namespace sluice::control {

// Least squares.
double Rates::slope_of(const std::deque<Level>& levels) {
  const auto mean = [&](double Level::*field) {
    double sum = 0;
    for (const Level& level : levels) sum += level.*field;
    return sum / static_cast<double>(levels.size());
  };
  const double mean_s = mean(&Level::at_s);
  const double mean_value = mean(&Level::value);
  double products = 0;
  double squares = 0;
  for (const Level& level : levels) {
    products += (level.at_s - mean_s) * (level.value - mean_value);
    squares += (level.at_s - mean_s) * (level.at_s - mean_s);
  }
  return squares > 0 ? products / squares : 0;
}

void Rates::begin(Clock::time_point now) {
  std::erase_if(tracks_, [this](const auto& item) { return item.second.sample != sample_; });
  const std::chrono::duration<double> passed = now - last_;
  seconds_ = sample_ == 0 ? 1 : std::max(0.001, passed.count());
  last_ = now;
  ++sample_;
}

void Rates::grow(Track& track, size_t counter, Watched& field) const {
  track.values.resize(std::max(track.values.size(), counter + 1));
  std::vector<uint64_t>& values = track.values[counter];
  if (!values.empty() && field.total < values.back()) values.clear();
  const uint64_t growth = values.empty() ? 0 : field.total - values.back();
  if (values.size() > kRecentSamples) values.erase(values.begin());
  values.push_back(field.total);
  field.per_s = std::round(10 * static_cast<double>(growth) / seconds_) / 10;
  field.recent = field.total - values.front();
}

void Rates::follow(Track& track, size_t level, Trended& field) const {
  track.levels.resize(std::max(track.levels.size(), level + 1));
  std::deque<Level>& levels = track.levels[level];
  if (levels.size() == kTrendSamples) levels.pop_front();
  const std::chrono::duration<double> at = last_.time_since_epoch();
  levels.push_back({at.count(), static_cast<double>(field.value)});
  const double slope = levels.size() < kRecentSamples ? 0 : slope_of(levels);
  field.trend = std::round(100 * slope) / 100;
}

}  // namespace sluice::control
