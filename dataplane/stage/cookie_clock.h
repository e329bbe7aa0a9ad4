// SPDX-License-Identifier: BSD-3-Clause
// The clock of the timestamps that Sluice gives clients of its own: milliseconds of the wall clock,
// never going back.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

inline uint32_t cookie_clock(const Core& core) {
  return static_cast<uint32_t>(core.wall_clock.timestamps_at(core.now_ms));
}

}  // namespace sluice
