// SPDX-License-Identifier: BSD-3-Clause
// The control thread's one loop: descriptors (epoll), timers and signals, each with its callback.
//
// Callbacks run one after another on the thread that calls run(), and must not block. All timers
// share one timerfd, which is set to the one that is due next before the loop sleeps. The loop
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
#include <utility>

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

  // A one-shot timer that waits. It is cancelled when this goes; the loop has to outlive it.
  class Timer {
   public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(Timer&& other) noexcept { *this = std::move(other); }
    Timer& operator=(Timer&& other) noexcept;
    // Nothing happens where it has fired already.
    void cancel();

   private:
    friend class EventLoop;
    Timer(EventLoop& loop, Clock::time_point due, uint64_t serial)
        : loop_(&loop), due_(due), serial_(serial) {}

    EventLoop* loop_ = nullptr;
    Clock::time_point due_;
    uint64_t serial_ = 0;
  };

  EventLoop();

  // The loop does not own fd. A callback may remove any descriptor, its own too. `name`, a literal,
  // says whose it is.
  void watch(int fd, uint32_t events, FdCallback callback, const char* name = "a descriptor");
  void change(int fd, uint32_t events);
  void forget(int fd);

  void every(std::chrono::milliseconds period, Callback callback, const char* name = "a timer");
  // Once, from the loop and never from here, however short the wait.
  [[nodiscard]] Timer after(Clock::duration wait, Callback callback, const char* name = "a timer");
  // From here on the signal arrives in the loop (it is blocked for this thread and those it
  // starts).
  void on_signal(int signal, Callback callback);

  void run();  // until stop()
  void stop() { running_ = false; }
  void run_once(std::chrono::milliseconds wait_max);
  const Load& load() const { return load_; }

 private:
  struct Waiting {
    Callback callback;
    const char* name;
    Clock::duration period{};  // zero: once
  };
  using Moment = std::pair<Clock::time_point, uint64_t>;  // and a number of its own
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
  Moment add_timer(Clock::time_point due, Waiting timer);
  void arm_timers();
  void run_timers();
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
  UniqueFd timer_;
  std::map<Moment, Waiting> timers_;
  Clock::time_point armed_;  // what timer_ is set to
  uint64_t timer_count_ = 0;
  bool running_ = false;
  Account account_;
  Load load_;
  unsigned unknown_count_ = 0;  // events in this second that nobody watches
};

}  // namespace sluice::control
