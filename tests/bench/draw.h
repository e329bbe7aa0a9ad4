// SPDX-License-Identifier: BSD-3-Clause
// Which connection the next packet belongs to: uniform, or by Zipf's law.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace sluice::bench {

/// Zipf: exponent 1, ranks dealt out to the connections at random.
class Draw {
 public:
  Draw(uint32_t flows, bool zipf) : flows_(flows) {
    if (!zipf) return;
    ranked_.resize(flows);
    for (uint32_t i = 0; i < flows; ++i) ranked_[i] = i;
    std::shuffle(ranked_.begin(), ranked_.end(), random_);
    below_.resize(flows);
    double sum = 0;
    for (uint32_t i = 0; i < flows; ++i) below_[i] = sum += 1.0 / (i + 1);
  }

  uint32_t operator()() {
    if (below_.empty()) return static_cast<uint32_t>(random_() % flows_);
    const double at = std::uniform_real_distribution<>(0, below_.back())(random_);
    const auto rank = std::upper_bound(below_.begin(), below_.end(), at) - below_.begin();
    return ranked_[std::min<size_t>(static_cast<size_t>(rank), flows_ - 1)];
  }

 private:
  uint32_t flows_;
  std::mt19937_64 random_{7};
  std::vector<uint32_t> ranked_;
  std::vector<double> below_;
};

}  // namespace sluice::bench
