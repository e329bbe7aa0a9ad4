// SPDX-License-Identifier: BSD-3-Clause
// Resets what was left, a little at a time.
#include "dataplane/worker/reset_kept.h"

#include "dataplane/stage/adopt_flows.h"

namespace sluice {

/// Until next hops have been asked for and have answered, no more than may wait for one; then what
/// a device sends meanwhile.
uint32_t ResetKept::budget_in(uint64_t now_ms) {
  constexpr uint64_t kAnswered = 100;
  constexpr uint32_t kFirst = 8, kThen = 512;
  if (began_ms_ == 0) began_ms_ = now_ms;
  if (now_ms != now_ms_) left_ = now_ms - began_ms_ < kAnswered ? kFirst : kThen;
  now_ms_ = now_ms;
  return left_;
}

bool ResetKept::step(Core& core) {
  constexpr uint32_t kEntriesPerStep = 4096;
  constexpr uint32_t kResetsPerStep = 8;
  uint32_t resets = std::min(budget_in(core.now_ms), kResetsPerStep);
  for (uint32_t looked_at = 0; source_ < sources_.size() && looked_at < kEntriesPerStep;) {
    const KeptSource& source = sources_[source_];
    if (next_ == source.flows.size()) {
      ++source_;
      next_ = 0;
      continue;
    }
    ++looked_at;
    if (source.flows[next_].live && source.taken[next_] == 0) {
      if (resets == 0) return false;
      if (reset_kept(core, source, next_)) {
        ++reset_count_;
        --resets;
        --left_;
      }
    }
    ++next_;
  }
  return source_ == sources_.size();
}

}  // namespace sluice
