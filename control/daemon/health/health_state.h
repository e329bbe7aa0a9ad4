// SPDX-License-Identifier: BSD-3-Clause
// What is believed of one backend's health: a small state machine, time as an argument. What others
// want to know it keeps in their HealthView, and nowhere else.
//
//                1st result good                       slow start over
//   unchecked -------------------------------> up <------------------------- starting
//       |                                      |                               |   ^
//       | `fall` bad results in a row, or failed handshakes of clients         |   | `rise` good
//       v                                      v                               v   | in a row
//      down <-------------------------------------------------------------------   |
//       `--------------------------------------------------------------------------'
//
// Without slow start `rise` good results lead from down to up at once. An unchecked backend takes
// flows, for nothing speaks against it; one that joined a running service waits for its first
// result, and then starts as slowly as one that comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "control/daemon/core/health_view.h"

namespace sluice::control {

struct HealthRules {
  uint32_t rise = 2;
  uint32_t fall = 2;
  std::chrono::milliseconds slow_start{0};
};

class HealthState {
 public:
  // `view` outlives it.
  HealthState(HealthView& view, SteadyTime now, bool joined) : view_(&view), joined_(joined) {
    view = HealthView{.takes_flows = !joined, .since = now};
  }

  // The result of a check, and in words what was wrong. True when the state changed.
  bool observe(bool good, std::string_view reason, const HealthRules& rules, SteadyTime now);
  // Clients' handshakes fail. Where that happens soon after it had come back, the next return takes
  // twice as many good results: its checks are good and its service is not. True when the state
  // changed.
  bool bring_down(std::string_view reason, SteadyTime now);
  // Time passes. True when the state, or the share of a slow start, changed.
  bool advance(const HealthRules& rules, SteadyTime now);

  Health health() const { return view_->health; }
  HealthView& view() const { return *view_; }
  // Bad results (good ones of a backend that is down) in a row.
  uint32_t row_count() const { return row_count_; }
  // Bad results contradict the state, but not often enough yet to change it.
  bool in_doubt() const { return row_count_ > 0 && health() != Health::kDown; }

 private:
  bool waits() const { return joined_ && health() == Health::kUnchecked; }
  bool enter(Health health, SteadyTime now);
  bool come_back(const HealthRules& rules, SteadyTime now);

  HealthView* view_;
  bool joined_;
  uint32_t row_count_ = 0;
  uint32_t relapses_ = 0;  // returns that failed handshakes ended soon
};

}  // namespace sluice::control
