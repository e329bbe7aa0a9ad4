// SPDX-License-Identifier: BSD-3-Clause
// How often something happened in the last second: the count of this second, and of the one before
// it the part that is still within a second.
//
// One word, so that other threads read it whole. One writer.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace sluice {

class RateWindow {
 public:
  /// What is beyond is counted as this many.
  static constexpr uint32_t kCountMax = (1u << 24) - 1;

  void add(uint64_t now_ms) {
    const Parts parts = at(now_ms);
    const uint64_t now = std::min<uint64_t>(parts.now + 1, kCountMax);
    word_.store(uint64_t{second_of(now_ms)} << 48 | parts.before << 24 | now,
                std::memory_order_relaxed);
  }
  void clear() { word_.store(0, std::memory_order_relaxed); }
  uint32_t in_last_second(uint64_t now_ms) const {
    const Parts parts = at(now_ms);
    return static_cast<uint32_t>(parts.now + parts.before * (1000 - now_ms % 1000) / 1000);
  }

 private:
  struct Parts {
    uint64_t before, now;
  };

  static uint16_t second_of(uint64_t now_ms) { return static_cast<uint16_t>(now_ms / 1000); }
  Parts at(uint64_t now_ms) const {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    const uint64_t before = word >> 24 & kCountMax, now = word & kCountMax;
    const auto age = static_cast<uint16_t>(second_of(now_ms) - (word >> 48));
    if (age == 0) return {before, now};
    return {age == 1 ? now : 0, 0};
  }

  std::atomic<uint64_t> word_ = 0;  // 16 bits of the second, then 24 each of before and now
};

}  // namespace sluice
