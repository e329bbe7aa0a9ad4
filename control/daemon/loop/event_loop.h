// SPDX-License-Identifier: BSD-3-Clause
// The control thread's one loop: descriptors (epoll), timers and signals, each with its callback.
//
// Callbacks run one after another on the thread that calls run(), and must not block. The loop
// keeps an account of itself: how often it went round, how much of the time it was awake, and for
// whom. One that is woken without end (a descriptor that is ready and that nobody reads) slows
// itself down and says so; a timer whose callback takes long comes less often.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/common/unique_fd.h"

namespace sluice::control {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Callback = std::function<void()>;
  using FdCallback = std::function<void(uint32_t events)>;

  // Of the last whole second.
  struct Load {
    uint64_t iterations_per_s = 0;
    double busy_percent = 0;  // of the time; not asleep
    std::string busiest;      // for whom most of that was
    bool spins = false;       // woken without end; `busiest` is then who did it most often
  };

  EventLoop();

  // The loop does not own fd. A callback may remove any descriptor, its own too. `name`, a literal,
  // says whose it is.
  void watch(int fd, uint32_t events, FdCallback callback, const char* name = "a descriptor");
  void change(int fd, uint32_t events);
  void forget(int fd);

  void every(std::chrono::milliseconds period, Callback callback, const char* name = "a timer");
  // From here on the signal arrives in the loop (it is blocked for this thread and those it
  // starts).
  void on_signal(int signal, Callback callback);

  void run();  // until stop()
  void stop() { running_ = false; }
  void run_once(std::chrono::milliseconds wait_max);
  const Load& load() const { return load_; }

 private:
  struct Timer {
    std::chrono::milliseconds period;
    Clock::time_point due;
    Callback callback;
    const char* name;
  };
  // What is told of in the running second.
  struct Account {
    Clock::time_point since = Clock::now();
    uint64_t iterations = 0;
    uint64_t eager = 0;  // iterations that found something at once
    Clock::duration awake{};
    struct Share {
      uint64_t count = 0;
      Clock::duration took{};
    };
    std::map<std::string_view, Share> by_name;
  };

  template <class Call>
  Clock::duration run_for(const char* name, Call&& call);
  void run_event(int fd, uint32_t serial, uint32_t events);
  void drop_unknown(int fd);
  void watch_anew();
  void close_account(Clock::time_point now);
  void run_timers();
  int wait_ms(std::chrono::milliseconds wait_max) const;
  void read_signals();

  UniqueFd epoll_;
  UniqueFd signals_;
  struct Watch {
    uint32_t serial;  // tells it from an earlier one of the same number
    uint32_t events;
    const char* name;
    std::shared_ptr<FdCallback> callback;
  };
  std::map<int, Watch> watches_;
  uint32_t last_serial_ = 0;
  std::map<int, Callback> signal_callbacks_;
  std::vector<Timer> timers_;
  bool running_ = false;
  Account account_;
  Load load_;
  unsigned unknown_count_ = 0;  // events in this second that nobody watches
};

}  // namespace sluice::control
