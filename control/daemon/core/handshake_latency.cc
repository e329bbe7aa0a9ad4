// SPDX-License-Identifier: BSD-3-Clause
// Differences of histograms, and their quantiles.
#include "control/daemon/core/handshake_latency.h"

#include <numeric>

namespace sluice::control {

HandshakeLatency::Buckets HandshakeLatency::counted(const Identities& identities, BackendId id) {
  Buckets counts{};
  for (const Registry* registry : identities.registries()) {
    const HandshakeTimes& times = registry->backends[id]->handshakes;
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += times.buckets[i].value();
  }
  return counts;
}

void HandshakeLatency::sample(const Identities& identities) {
  std::erase_if(recent_,
                [&](const auto& entry) { return !identities.backends().contains(entry.first); });
  for (const auto& [key, backend] : identities.backends()) {
    Recent& recent = recent_[key];
    const Buckets now = counted(identities, backend.id);
    if (recent.id != backend.id) recent = {.id = backend.id, .seen = {}, .last = now};
    if (recent.seen.size() == kSeconds) recent.seen.pop_front();
    Buckets& grown = recent.seen.emplace_back();
    for (size_t i = 0; i < now.size(); ++i) grown[i] = now[i] - recent.last[i];
    recent.last = now;
  }
}

std::optional<double> HandshakeLatency::quantile_ms(const BackendKey& backend,
                                                    double quantile) const {
  const auto found = recent_.find(backend);
  if (found == recent_.end()) return std::nullopt;
  Buckets counts{};
  for (const Buckets& second : found->second.seen) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += second[i];
  }
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (total == 0) return std::nullopt;
  double left = quantile * static_cast<double>(total);
  for (size_t i = 0; i < kHandshakeBoundsUs.size(); ++i) {
    const double low = i == 0 ? 0 : kHandshakeBoundsUs[i - 1];
    const auto count = static_cast<double>(counts[i]);
    if (left <= count) {
      const double share = count > 0 ? left / count : 0;
      return (low + share * (kHandshakeBoundsUs[i] - low)) / 1000;
    }
    left -= count;
  }
  return kHandshakeBoundsUs.back() / 1000.0;  // or more: the last bucket has no end
}

}  // namespace sluice::control
