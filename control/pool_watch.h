// SPDX-License-Identifier: BSD-3-Clause
// Warns in the log when a port pool fills up, before it is exhausted.
#pragma once

#include <map>

#include "control/balancer.h"

namespace sluice::control {

class PoolWatch {
 public:
  // To be called once a second. Each level is logged once, until the pool is well below it again.
  void look(const Balancer& balancer);

  // The level (0, 80 or 95 percent) that `percent` makes of a pool that had `level`.
  static unsigned next_level(unsigned level, double percent);

 private:
  std::map<PoolKey, unsigned> levels_;
};

}  // namespace sluice::control
