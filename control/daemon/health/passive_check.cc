// SPDX-License-Identifier: BSD-3-Clause
// Differences of counters.
#include "control/daemon/health/passive_check.h"

#include <utility>

namespace sluice::control {

uint64_t PassiveCheck::look(const HandshakeCounts& totals) {
  const HandshakeCounts before = std::exchange(last_, totals);
  const uint64_t answered = totals.answered - before.answered;
  const uint64_t refused = totals.refused - before.refused;
  const uint64_t unanswered = silence_counts_ ? totals.unanswered - before.unanswered : 0;
  const uint64_t failed = refused + unanswered;
  if (answered > 0 && answered >= failed) {
    row_ = {};
  } else {
    row_.refused += refused;
    row_.unanswered += unanswered;
  }
  return failed;
}

}  // namespace sluice::control
