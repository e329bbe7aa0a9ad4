// SPDX-License-Identifier: BSD-3-Clause
// Sees whether the workers' loops still go round.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::control {

struct WorkerProgress {
  unsigned lcore = 0;
  uint64_t polls = 0;  // grows with every iteration of a worker's loop
};

class Watchdog {
 public:
  // Whether every worker has polled since the last look. One that has not is named in the log, and
  // again when it goes on.
  bool all_progress(const std::vector<WorkerProgress>& workers);

 private:
  struct Seen {
    uint64_t polls = 0;
    bool stuck = false;
  };
  std::vector<Seen> seen_;
};

}  // namespace sluice::control
