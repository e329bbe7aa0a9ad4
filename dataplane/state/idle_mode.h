// SPDX-License-Identifier: BSD-3-Clause
// What a worker does that has found nothing for a while.
#pragma once

#include <cstdint>

namespace sluice {

enum class IdleMode : uint8_t {
  kPoll,   // looks again at once: no packet waits, and its CPU is busy day and night
  kSleep,  // sleeps until an interrupt, or for a fraction of a millisecond
};

}  // namespace sluice
