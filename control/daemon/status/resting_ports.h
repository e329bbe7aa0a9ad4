// SPDX-License-Identifier: BSD-3-Clause
// How many ports of a pool its backend still holds in TIME_WAIT.
//
// A port in TIME_WAIT that has rested TIME_WAIT out stays in its FIFO until it is taken, so the
// FIFO's length says too much. But it is a FIFO: of its ports exactly those put in within the last
// TIME_WAIT still rest. How many were ever put in follows from the counters; some readings of the
// past, evenly spread over one TIME_WAIT, say how many were then.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/state/port_pool.h"

namespace sluice::control {

class RestingPorts {
 public:
  // To be called now and then; the answer is at most a sixteenth of TIME_WAIT too old.
  uint64_t look(const PortPool::Counters& counters, uint64_t time_wait_ms, uint64_t now_ms);

 private:
  static constexpr uint64_t kReadings = 16;

  struct Reading {
    uint64_t at_ms;
    uint64_t held_ever;
  };
  // Empty until the first port rests, as in most of very many pools. The first is the newest from
  // before one TIME_WAIT.
  std::vector<Reading> readings_;
};

}  // namespace sluice::control
