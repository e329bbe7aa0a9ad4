// SPDX-License-Identifier: BSD-3-Clause
// Tells the workers the wall clock, once a second, and sees to it that the clock of timestamps
// (`tcp_timestamps = "rewrite"`) never goes back: not when the wall clock is set back, and not when
// Sluice is started anew, for which a small file keeps by how much it was ahead.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/port/wall_clock.h"

namespace sluice::control {

class WallClockKeeper {
 public:
  // The file need not be there; where it cannot be written, the log says so once.
  explicit WallClockKeeper(std::string file);

  // What both clocks say now. To be called once a second.
  void observe(uint64_t worker_ms, uint64_t wall_ms);
  void observe();
  // By how much the pool that is furthest ahead of the clock of timestamps is.
  void keep(uint64_t lead_ms);

  const WallClock& clock() const { return clock_; }
  const WallClockCell& cell() const { return cell_; }

 private:
  std::string file_;
  bool refused_ = false;
  uint64_t kept_ms_ = 0;  // what the file says
  WallClock clock_;
  bool running_ = false;
  uint64_t anchor_worker_ms_ = 0;  // since then the wall clock was not set
  uint64_t anchor_wall_ms_ = 0;
  WallClockCell cell_;
};

}  // namespace sluice::control
