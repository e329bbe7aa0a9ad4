// SPDX-License-Identifier: BSD-3-Clause
// How long backends took for their handshakes lately: the workers' histograms, fading.
//
// Once a second the counts of each bucket fade by a tenth and the new ones are added: what counts is
// about the last ten seconds, and nothing but one number a bucket is kept.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "control/state_keeper.h"

namespace sluice::control {

class HandshakeWatch {
 public:
  using Buckets = std::array<uint64_t, kHandshakeBoundsUs.size() + 1>;

  // What all workers have counted.
  static Buckets counted(const StateKeeper& keeper, BackendId id);

  // Once a second.
  void sample(const StateKeeper& keeper);
  // The quantile, 0 to 1, in milliseconds, as exact as the buckets are; nothing without handshakes
  // of late.
  std::optional<double> quantile_ms(const BackendKey& backend, double quantile) const;

 private:
  struct Recent {
    BackendId id = kNoId;
    Buckets seen{};
    std::array<double, kHandshakeBoundsUs.size() + 1> weights{};
  };
  std::map<BackendKey, Recent> recent_;
};

}  // namespace sluice::control
