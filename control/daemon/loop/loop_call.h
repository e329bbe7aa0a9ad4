// SPDX-License-Identifier: BSD-3-Clause
// Has the control thread do something for another thread, which waits for it.
//
// What comes and goes (services, backends, pools) may only be looked at by the control thread; the
// threads that answer Prometheus and dpdk-telemetry come here. A task runs on the loop or not at
// all: when its asker has given up, it is taken back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "control/common/unique_fd.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

class LoopCall {
 public:
  using Task = std::function<void()>;

  // Throws std::system_error.
  explicit LoopCall(EventLoop& loop);
  ~LoopCall();
  LoopCall(const LoopCall&) = delete;
  LoopCall& operator=(const LoopCall&) = delete;

  // Any thread but the loop's. False when the loop did not begin in time, or takes no more tasks.
  bool run(const Task& task, std::chrono::milliseconds timeout = std::chrono::seconds(2));
  // The loop's thread: whoever waits is sent away, and nobody comes in any more.
  void close();

 private:
  struct Call {
    const Task* task;
    bool done = false;
  };
  void work();

  EventLoop& loop_;
  UniqueFd wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call*> waiting_;
  bool closed_ = false;
};

}  // namespace sluice::control
