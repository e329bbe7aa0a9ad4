// SPDX-License-Identifier: BSD-3-Clause
// CPU time for limits that must hold on a machine that others keep busy.
#pragma once

#include <ctime>

namespace sluice::control {

// Of this process, all threads.
inline double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace sluice::control
