// SPDX-License-Identifier: BSD-3-Clause
// How a worker rests that has found nothing for a while (`eal.idle`).
//
// While there is traffic it never does: the first sleep comes after a millisecond without a packet,
// a hand-off or a frame of the kernel's. Where every receive queue of the worker can interrupt, the
// interrupts are armed, the queues looked at once more, and then waited for; elsewhere naps grow
// from 20 to 250 microseconds. Timers want one iteration a millisecond, so neither lasts longer
// than that.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/state/idle_mode.h"

namespace sluice {

/// A receive queue of a port.
struct RxQueue {
  uint16_t port;
  uint16_t queue;
};

class Idle {
 public:
  /// On the worker's own thread, which the interrupts are brought to.
  Idle(IdleMode mode, std::vector<RxQueue> queues);
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;
  ~Idle();

  /// At the end of an iteration of the loop that began at `ticks` of the processor's counter.
  void end_turn(bool found_something, uint64_t ticks) {
    if (found_something || mode_ == IdleMode::kPoll) {
      busy_ticks_ = ticks;
      if (resting_) [[unlikely]]
        wake();
    } else if (ticks - busy_ticks_ >= idle_after_ticks_) {
      rest();
    }
  }

  bool interrupts() const { return interrupts_; }

 private:
  static constexpr uint32_t kNapMinUs = 20;
  static constexpr uint32_t kNapMaxUs = 250;

  void rest();
  void wake();
  void set_armed(bool armed);

  IdleMode mode_;
  std::vector<RxQueue> queues_;
  bool interrupts_ = false;  // every queue has them
  bool armed_ = false;
  bool resting_ = false;
  uint32_t nap_us_ = kNapMinUs;
  uint64_t idle_after_ticks_;
  uint64_t busy_ticks_ = 0;
};

}  // namespace sluice
