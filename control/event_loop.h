// SPDX-License-Identifier: BSD-3-Clause
// The control thread's one loop: descriptors (epoll), timers and signals, each with its callback.
//
// Callbacks run one after another on the thread that calls run(), and must not block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "control/unique_fd.h"

namespace sluice::control {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Callback = std::function<void()>;
  using FdCallback = std::function<void(uint32_t events)>;

  EventLoop();

  // The loop does not own fd. A callback may remove any descriptor, its own too.
  void watch(int fd, uint32_t events, FdCallback callback);
  void change(int fd, uint32_t events);
  void forget(int fd);

  void every(std::chrono::milliseconds period, Callback callback);
  // From here on the signal arrives in the loop (it is blocked for this thread and those it
  // starts).
  void on_signal(int signal, Callback callback);

  void run();  // until stop()
  void stop() { running_ = false; }
  void run_once(std::chrono::milliseconds wait_max);

 private:
  struct Timer {
    std::chrono::milliseconds period;
    Clock::time_point due;
    Callback callback;
  };

  void run_timers();
  int wait_ms(std::chrono::milliseconds wait_max) const;
  void read_signals();

  UniqueFd epoll_;
  UniqueFd signals_;
  struct Watch {
    uint32_t serial;  // tells it from an earlier one of the same number
    std::shared_ptr<FdCallback> callback;
  };
  std::map<int, Watch> watches_;
  uint32_t last_serial_ = 0;
  std::map<int, Callback> signal_callbacks_;
  std::vector<Timer> timers_;
  bool running_ = false;
};

}  // namespace sluice::control
