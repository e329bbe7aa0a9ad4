// SPDX-License-Identifier: BSD-3-Clause
// What a worker makes of its CPU, and what others leave it.
#pragma once

#include <cstdint>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

struct WorkerLoad {
  double busy_percent = 0;    // of the last second, in iterations of the loop that found packets
  double waited_percent = 0;  // of the time for which it could have run, while others had its CPU
};

class WorkerLoads {
 public:
  // Once a second.
  void sample(const std::vector<std::unique_ptr<Worker>>& workers);
  // By worker; before the first sample none.
  const std::vector<WorkerLoad>& latest() const { return loads_; }

 private:
  struct Seen {
    uint64_t ticks = 0;
    uint64_t busy_ticks = 0;
    uint64_t ran_ns = 0;
    uint64_t waited_ns = 0;
  };
  std::vector<Seen> seen_;
  std::vector<WorkerLoad> loads_;
};

}  // namespace sluice::control
