// SPDX-License-Identifier: BSD-3-Clause
// Differences over a window that lags by one sample on the side of what was accepted.
#include "control/daemon/core/tx_watch.h"

namespace sluice::control {

void TxWatch::look(const std::vector<Counts>& now) {
  seen_.resize(now.size());
  for (size_t i = 0; i < now.size(); ++i) {
    std::deque<Counts>& seen = seen_[i];
    // Somebody may have the device count from zero.
    if (!seen.empty() && now[i].finished < seen.back().finished) seen.clear();
    seen.push_back(now[i]);
    if (seen.size() > kSamples + 2) seen.pop_front();
  }
}

TxWatch::Loss TxWatch::loss(size_t interface) const {
  if (interface >= seen_.size() || seen_[interface].size() < 3) return {};
  const std::deque<Counts>& seen = seen_[interface];
  const Counts& first = seen.front();
  const Counts& last = seen.back();
  // A driver that never counts says nothing.
  if (last.finished == 0) return {};
  const uint64_t accepted = seen[seen.size() - 2].accepted - first.accepted;
  const uint64_t finished = last.finished - first.finished;
  if (finished >= accepted) return {};
  const uint64_t lost = accepted - finished;
  return {lost, 100.0 * static_cast<double>(lost) / static_cast<double>(accepted)};
}

}  // namespace sluice::control
