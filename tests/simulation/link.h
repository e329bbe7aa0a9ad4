// SPDX-License-Identifier: BSD-3-Clause
// One direction of one link: decides when, and how often, a frame arrives.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tests/simulation/clock.h"
#include "tests/simulation/rng.h"

namespace sluice::sim {

struct LinkQuality {
  uint32_t delay_us = 100;
  uint32_t jitter_us = 50;
  uint32_t loss_ppm = 0;
  uint32_t duplicate_ppm = 0;
  uint32_t reorder_ppm = 0;  // overtaken by what was sent within reorder_us after it
  uint32_t reorder_us = 2'000;

  bool lossless() const { return loss_ppm == 0; }
};

class Link {
 public:
  explicit Link(const LinkQuality& quality) : quality_(quality) {}

  // Calls arrive(at) for every copy that arrives.
  template <typename Arrive>
  void send(TimeUs now, Rng& rng, Arrive arrive) {
    if (rng.chance_ppm(quality_.loss_ppm)) return;
    arrive(arrival(now, rng));
    if (rng.chance_ppm(quality_.duplicate_ppm)) arrive(arrival(now, rng) + quality_.reorder_us);
  }

 private:
  TimeUs arrival(TimeUs now, Rng& rng) {
    const TimeUs at = now + quality_.delay_us + rng.below(quality_.jitter_us + 1);
    if (rng.chance_ppm(quality_.reorder_ppm)) return at + rng.below(quality_.reorder_us);
    // All others keep their order.
    return newest_ = std::max(newest_, at);
  }

  LinkQuality quality_;
  TimeUs newest_ = 0;
};

}  // namespace sluice::sim
