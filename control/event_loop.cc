// SPDX-License-Identifier: BSD-3-Clause
// epoll, a list of timers and one signalfd.
#include "control/event_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sluice::control {
namespace {

constexpr int kEventsMax = 32;
constexpr std::chrono::milliseconds kIdleWait{1000};

void check(bool ok, const char* what) {
  if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

epoll_event event_for(int fd, uint32_t events, uint32_t serial) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = uint64_t{serial} << 32 | static_cast<uint32_t>(fd);
  return event;
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  check(static_cast<bool>(epoll_), "epoll_create1");
}

void EventLoop::watch(int fd, uint32_t events, FdCallback callback) {
  epoll_event event = event_for(fd, events, ++last_serial_);
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  watches_[fd] = {last_serial_, std::make_shared<FdCallback>(std::move(callback))};
}

void EventLoop::change(int fd, uint32_t events) {
  epoll_event event = event_for(fd, events, watches_.at(fd).serial);
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0, "epoll_ctl");
}

void EventLoop::forget(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watches_.erase(fd);
}

void EventLoop::every(std::chrono::milliseconds period, Callback callback) {
  timers_.push_back({period, Clock::now() + period, std::move(callback)});
}

void EventLoop::on_signal(int signal, Callback callback) {
  signal_callbacks_[signal] = std::move(callback);
  sigset_t set;
  sigemptyset(&set);
  for (const auto& [number, unused] : signal_callbacks_) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const bool is_first = !signals_;
  const int fd = signalfd(signals_.get(), &set, SFD_CLOEXEC | SFD_NONBLOCK);
  check(fd >= 0, "signalfd");
  if (!is_first) return;
  signals_ = UniqueFd(fd);
  watch(fd, EPOLLIN, [this](uint32_t) { read_signals(); });
}

void EventLoop::read_signals() {
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    auto found = signal_callbacks_.find(static_cast<int>(info.ssi_signo));
    if (found != signal_callbacks_.end()) found->second();
  }
}

void EventLoop::run() {
  running_ = true;
  while (running_) run_once(kIdleWait);
}

void EventLoop::run_once(std::chrono::milliseconds wait_max) {
  epoll_event events[kEventsMax];
  const int count = epoll_wait(epoll_.get(), events, kEventsMax, wait_ms(wait_max));
  for (int i = 0; i < count; ++i) {
    const auto found = watches_.find(static_cast<int>(events[i].data.u64 & UINT32_MAX));
    // A callback before this one may have forgotten it, and another may have got its number.
    if (found == watches_.end() || found->second.serial != events[i].data.u64 >> 32) continue;
    const std::shared_ptr<FdCallback> callback = found->second.callback;  // it may forget itself
    (*callback)(events[i].events);
  }
  run_timers();
}

int EventLoop::wait_ms(std::chrono::milliseconds wait_max) const {
  auto wait = wait_max;
  const auto now = Clock::now();
  for (const Timer& timer : timers_) {
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(timer.due - now));
  }
  return static_cast<int>(std::max<int64_t>(0, wait.count()));
}

void EventLoop::run_timers() {
  const auto now = Clock::now();
  for (size_t i = 0; i < timers_.size(); ++i) {  // a callback may add timers
    if (timers_[i].due > now) continue;
    timers_[i].due = now + timers_[i].period;
    const Callback callback = timers_[i].callback;
    callback();
  }
}

}  // namespace sluice::control
