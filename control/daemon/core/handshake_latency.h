// SPDX-License-Identifier: BSD-3-Clause
// How long backends took for their handshakes in the last ten seconds: how the workers' histograms
// have grown.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>

#include "control/daemon/core/identities.h"

namespace sluice::control {

class HandshakeLatency {
 public:
  static constexpr size_t kSeconds = 10;
  using Buckets = std::array<uint64_t, kHandshakeBoundsUs.size() + 1>;

  // What all workers have counted.
  static Buckets counted(const Identities& identities, BackendId id);

  // Once a second.
  void sample(const Identities& identities);
  // The quantile, 0 to 1, in milliseconds, as exact as the buckets are; nothing without
  // handshakes.
  std::optional<double> quantile_ms(const BackendKey& backend, double quantile) const;

 private:
  struct Recent {
    BackendId id = kNoBackend;
    std::deque<Buckets> seen;  // in each of the last kSeconds
    Buckets last{};            // all since the start
  };
  std::map<BackendKey, Recent> recent_;
};

}  // namespace sluice::control
