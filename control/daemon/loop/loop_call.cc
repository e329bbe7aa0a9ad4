// SPDX-License-Identifier: BSD-3-Clause
// An eventfd wakes the loop; a list says what for.
#include "control/daemon/loop/loop_call.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sluice::control {

LoopCall::LoopCall(EventLoop& loop) : loop_(loop), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "eventfd");
  loop_.watch(
      wake_.get(), EPOLLIN, [this](uint32_t) { work(); }, "metrics and telemetry");
}

LoopCall::~LoopCall() {
  close();
  loop_.forget(wake_.get());
}

bool LoopCall::run(const Task& task, std::chrono::milliseconds timeout) {
  Call call{&task};
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  waiting_.push_back(&call);
  eventfd_write(wake_.get(), 1);
  const auto is_waiting = [&] { return std::ranges::find(waiting_, &call) != waiting_.end(); };
  changed_.wait_for(lock, timeout, [&] { return call.done || !is_waiting(); });
  if (is_waiting()) {
    std::erase(waiting_, &call);
    return false;
  }
  // It has begun, or the list was closed.
  changed_.wait(lock, [&] { return call.done || closed_; });
  return call.done;
}

void LoopCall::work() {
  eventfd_t count;
  eventfd_read(wake_.get(), &count);
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    Call* call = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    (*call->task)();
    lock.lock();
    call->done = true;
    changed_.notify_all();
  }
}

void LoopCall::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_.clear();
  changed_.notify_all();
}

}  // namespace sluice::control
