// SPDX-License-Identifier: BSD-3-Clause
// Differences of counters over time.
#include "control/daemon/status/rates.h"

#include <algorithm>
#include <cmath>

namespace sluice::control {

// Least squares.
double Rates::slope_of(const std::deque<Track::Severity>& levels) {
  const auto mean = [&](double Track::Severity::*field) {
    double sum = 0;
    for (const Track::Severity& level : levels) sum += level.*field;
    return sum / static_cast<double>(levels.size());
  };
  const double mean_s = mean(&Track::Severity::at_s);
  const double mean_value = mean(&Track::Severity::value);
  double products = 0;
  double squares = 0;
  for (const Track::Severity& level : levels) {
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

void Rates::add(const std::string& key, nlohmann::json& row,
                const std::vector<std::string>& fields) {
  Track& track = tracks_[key];
  track.sample = sample_;
  track.values.resize(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    std::vector<uint64_t>& values = track.values[i];
    const uint64_t value = row.value(fields[i], uint64_t{0});
    if (!values.empty() && value < values.back()) values.clear();
    const uint64_t growth = values.empty() ? 0 : value - values.back();
    if (values.size() > kRecentSamples) values.erase(values.begin());
    values.push_back(value);
    row[fields[i] + "_per_s"] = std::round(10 * static_cast<double>(growth) / seconds_) / 10;
    row[fields[i] + "_recent"] = value - values.front();
  }
}

void Rates::add_trends(const std::string& key, nlohmann::json& row,
                       const std::vector<std::string>& fields) {
  Track& track = tracks_[key];
  track.sample = sample_;
  track.levels.resize(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    std::deque<Track::Severity>& levels = track.levels[i];
    if (levels.size() == kTrendSamples) levels.pop_front();
    const std::chrono::duration<double> at = last_.time_since_epoch();
    levels.push_back({at.count(), row.value(fields[i], 0.0)});
    const double slope = levels.size() < kRecentSamples ? 0 : slope_of(levels);
    row[fields[i] + "_trend"] = std::round(100 * slope) / 100;
  }
}

}  // namespace sluice::control
