// SPDX-License-Identifier: BSD-3-Clause
// A counter with one writer and any number of readers.
//
// The owning worker writes with plain loads and stores (relaxed, so no locked instruction), the
// control thread reads whole values at any time.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

class Counter {
 public:
  [[gnu::always_inline]] void add(uint64_t n = 1) { set(value() + n); }
  void subtract(uint64_t n = 1) { set(value() - n); }
  void raise_to(uint64_t n) {
    if (n > value()) set(n);
  }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

}  // namespace sluice
