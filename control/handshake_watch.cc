// SPDX-License-Identifier: BSD-3-Clause
// Fading histograms and their quantiles.
#include "control/handshake_watch.h"

#include <numeric>

namespace sluice::control {
namespace {

constexpr double kFade = 0.9;
constexpr double kWeightMin = 0.5;  // less is what is left of one handshake seven seconds ago

}  // namespace

HandshakeWatch::Buckets HandshakeWatch::counted(const StateKeeper& keeper, BackendId id) {
  Buckets counts{};
  for (const Registry* registry : keeper.registries()) {
    const HandshakeTimes& times = registry->backends[id]->handshakes;
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += times.buckets[i].value();
  }
  return counts;
}

void HandshakeWatch::sample(const StateKeeper& keeper) {
  std::erase_if(recent_,
                [&](const auto& entry) { return !keeper.backends().contains(entry.first); });
  for (const auto& [key, backend] : keeper.backends()) {
    Recent& recent = recent_[key];
    if (recent.id != backend.id) recent = {.id = backend.id};
    const Buckets now = counted(keeper, backend.id);
    for (size_t i = 0; i < now.size(); ++i) {
      recent.weights[i] = kFade * recent.weights[i] + static_cast<double>(now[i] - recent.seen[i]);
    }
    recent.seen = now;
  }
}

std::optional<double> HandshakeWatch::quantile_ms(const BackendKey& backend,
                                                  double quantile) const {
  const auto found = recent_.find(backend);
  if (found == recent_.end()) return std::nullopt;
  const auto& weights = found->second.weights;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (total < kWeightMin) return std::nullopt;
  double left = quantile * total;
  for (size_t i = 0; i < kHandshakeBoundsUs.size(); ++i) {
    const double low = i == 0 ? 0 : kHandshakeBoundsUs[i - 1];
    if (left <= weights[i]) {
      const double share = weights[i] > 0 ? left / weights[i] : 0;
      return (low + share * (kHandshakeBoundsUs[i] - low)) / 1000;
    }
    left -= weights[i];
  }
  return kHandshakeBoundsUs.back() / 1000.0;  // or more: the last bucket has no end
}

}  // namespace sluice::control
