// SPDX-License-Identifier: BSD-3-Clause
// Readings of a counter, kept for one TIME_WAIT.
#include "control/daemon/status/resting_ports.h"

#include <algorithm>

namespace sluice::control {
namespace {

// Each was put into the FIFO once for each time that it was taken out, or is in it.
uint64_t held_ever(const PortPool::Counters& counters) {
  return counters.time_wait.value() + counters.reuse_rested.value() +
         counters.reuse_natural.value() + counters.reuse_rebased.value();
}

}  // namespace

uint64_t RestingPorts::look(const PortPool::Counters& counters, uint64_t time_wait_ms,
                            uint64_t now_ms) {
  const Reading now{now_ms, held_ever(counters)};
  if (readings_.empty() && now.held_ever == 0) return 0;
  if (readings_.empty() || now_ms - readings_.back().at_ms >= time_wait_ms / kReadings) {
    readings_.push_back(now);
  }
  while (readings_.size() > 1 && now_ms - readings_[1].at_ms >= time_wait_ms) {
    readings_.erase(readings_.begin());
  }
  const Reading& then = readings_.front();
  const uint64_t all = counters.time_wait.value();
  if (now_ms - then.at_ms < time_wait_ms) return all;  // not seen for long enough: none was before
  return std::min(all, now.held_ever - std::min(now.held_ever, then.held_ever));
}

}  // namespace sluice::control
