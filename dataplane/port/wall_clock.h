// SPDX-License-Identifier: BSD-3-Clause
// The wall clock as workers have it: a line through what control read last, without a system call.
//
//   control, once a second --publish()--> WallClockCell --read()--> each worker, every millisecond
//
// The rate makes good for what the worker's clock is off (DPDK rounds that of the TSC to 10 MHz: up
// to 130 s a day). Beside it stands the clock of timestamps (`tcp_timestamps = "rewrite"`), which
// follows the wall clock but never goes back: it is ahead of it by what the wall clock was set
// back, and by what a Sluice before this one was ahead.
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

struct WallClock {
  uint64_t worker_ms = 0;  // the worker's clock
  uint64_t wall_ms = 0;    // was this then
  int64_t rate = 0;        // by which the wall clock runs faster, in parts of 2^30
  uint64_t ahead_ms = 0;   // of the clock of timestamps before the wall clock

  uint64_t at(uint64_t now_ms) const {
    const auto since = static_cast<int64_t>(now_ms - worker_ms);
    return wall_ms + static_cast<uint64_t>(since + (since * rate >> 30));
  }
  uint64_t timestamps_at(uint64_t now_ms) const { return at(now_ms) + ahead_ms; }
  /// Timestamps go on from where the line before has brought them by now, or further ahead.
  void continue_from(const WallClock& before, uint64_t now_ms) {
    const uint64_t reached = before.timestamps_at(now_ms);
    const uint64_t wall = at(now_ms);
    ahead_ms = reached > wall ? reached - wall : 0;
  }
};

/// One writer, any number of readers, none of which waits (a seqlock).
class WallClockCell {
 public:
  void publish(const WallClock& next) {
    const uint32_t begun = version_.load(std::memory_order_relaxed) + 1;
    version_.store(begun, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    worker_ms_.store(next.worker_ms, std::memory_order_relaxed);
    wall_ms_.store(next.wall_ms, std::memory_order_relaxed);
    rate_.store(next.rate, std::memory_order_relaxed);
    ahead_ms_.store(next.ahead_ms, std::memory_order_relaxed);
    version_.store(begun + 1, std::memory_order_release);
  }
  /// False, with `clock` as it is, while another is being written, before the first was, and where
  /// `clock` is what was published last.
  bool read(WallClock& clock) const {
    const uint32_t version = version_.load(std::memory_order_acquire);
    if (version == 0 || (version & 1) != 0) return false;
    if (worker_ms_.load(std::memory_order_relaxed) == clock.worker_ms) return false;
    const WallClock found = {
        worker_ms_.load(std::memory_order_relaxed), wall_ms_.load(std::memory_order_relaxed),
        rate_.load(std::memory_order_relaxed), ahead_ms_.load(std::memory_order_relaxed)};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (version_.load(std::memory_order_relaxed) != version) return false;
    clock = found;
    return true;
  }

 private:
  std::atomic<uint32_t> version_ = 0;
  std::atomic<uint64_t> worker_ms_ = 0;
  std::atomic<uint64_t> wall_ms_ = 0;
  std::atomic<int64_t> rate_ = 0;
  std::atomic<uint64_t> ahead_ms_ = 0;
};

}  // namespace sluice
