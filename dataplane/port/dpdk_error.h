// SPDX-License-Identifier: BSD-3-Clause
// What DPDK's set-up calls return, as an exception.
#pragma once

#include <rte_errno.h>

#include <stdexcept>
#include <string>

namespace sluice {

/// Takes the result of a call that returns a negative errno where it fails.
/// Throws std::runtime_error with the step's name and the reason.
inline void check(int result, const char* step) {
  if (result < 0) throw std::runtime_error(std::string(step) + ": " + rte_strerror(-result));
}

}  // namespace sluice
