// SPDX-License-Identifier: BSD-3-Clause
// epoll, one timerfd for a list of timers, and one signalfd.
#include "control/daemon/loop/event_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

namespace sluice::control {
namespace {

constexpr int kEventsMax = 32;
constexpr std::chrono::milliseconds kIdleWait{1000};
constexpr std::chrono::seconds kAccountFor{1};
constexpr std::chrono::microseconds kEager{20};  // a wait so short was none
constexpr uint64_t kSpinPerS = 20'000;           // the taps' timer alone makes 10,000
constexpr double kEagerShare = 0.9;              // of the iterations of a loop that spins
constexpr std::chrono::milliseconds kSlowedBy{1};
constexpr int kTimerRest = 3;         // as long as a timer's callback took, it rests so many times
constexpr unsigned kUnknownMax = 64;  // events a second that nobody watches: all is watched anew

void check(bool ok, const char* what) {
  if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

epoll_event event_for(int fd, uint32_t events, uint32_t serial) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = uint64_t{serial} << 32 | static_cast<uint32_t>(fd);
  return event;
}

// Edge-triggered: setting the timer anew clears it, so nobody has to read it.
epoll_event timer_event(int fd) {
  return event_for(fd, EPOLLIN | EPOLLET, 0);
}

}  // namespace

EventLoop::Timer& EventLoop::Timer::operator=(Timer&& other) noexcept {
  cancel();
  loop_ = std::exchange(other.loop_, nullptr);
  due_ = other.due_;
  serial_ = other.serial_;
  return *this;
}

void EventLoop::Timer::cancel() {
  if (EventLoop* loop = std::exchange(loop_, nullptr)) loop->timers_.erase({due_, serial_});
}

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  check(static_cast<bool>(epoll_), "epoll_create1");
  check(static_cast<bool>(timer_), "timerfd_create");
  epoll_event event = timer_event(timer_.get());
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &event) == 0, "epoll_ctl");
}

void EventLoop::watch(int fd, uint32_t events, FdCallback callback, const char* name) {
  epoll_event event = event_for(fd, events, ++last_serial_);
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  watches_[fd] = {last_serial_, events, name, std::make_shared<FdCallback>(std::move(callback))};
}

void EventLoop::change(int fd, uint32_t events) {
  Watch& watch = watches_.at(fd);
  if (watch.events == events) return;
  epoll_event event = event_for(fd, events, watch.serial);
  check(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0, "epoll_ctl");
  watch.events = events;
}

void EventLoop::forget(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watches_.erase(fd);
}

void EventLoop::every(std::chrono::milliseconds period, Callback callback, const char* name) {
  period = std::max(period, std::chrono::milliseconds(1));
  add_timer(Clock::now() + period, {std::move(callback), name, period});
}

EventLoop::Timer EventLoop::after(Clock::duration wait, Callback callback, const char* name) {
  const Moment moment = add_timer(Clock::now() + std::max(wait, Clock::duration::zero()),
                                  {std::move(callback), name});
  return {*this, moment.first, moment.second};
}

EventLoop::Moment EventLoop::add_timer(Clock::time_point due, Waiting timer) {
  const Moment moment{due, ++timer_count_};
  timers_.emplace(moment, std::move(timer));
  return moment;
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
  watch(
      fd, EPOLLIN, [this](uint32_t) { read_signals(); }, "signals");
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

template <class Call>
EventLoop::Clock::duration EventLoop::run_for(const char* name, Call&& call) {
  const auto begin = Clock::now();
  call();
  const auto took = Clock::now() - begin;
  Account::Share& share = account_.by_name[name];
  ++share.count;
  share.took += took;
  return took;
}

void EventLoop::run_once(std::chrono::milliseconds wait_max) {
  epoll_event events[kEventsMax];
  arm_timers();
  const auto asleep = Clock::now();
  const int count =
      epoll_wait(epoll_.get(), events, kEventsMax, static_cast<int>(wait_max.count()));
  const auto awake = Clock::now();
  for (int i = 0; i < count; ++i) {
    const auto fd = static_cast<int>(events[i].data.u64 & UINT32_MAX);
    if (fd == timer_.get()) continue;
    run_event(fd, static_cast<uint32_t>(events[i].data.u64 >> 32), events[i].events);
  }
  run_timers();
  const auto now = Clock::now();
  ++account_.iterations;
  account_.eager += count > 0 && awake - asleep < kEager ? 1 : 0;
  account_.awake += now - awake;
  if (now - account_.since >= kAccountFor) close_account(now);
  if (load_.spins) std::this_thread::sleep_for(kSlowedBy);
}

void EventLoop::run_event(int fd, uint32_t serial, uint32_t events) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return drop_unknown(fd);
  // A callback before this one may have forgotten it, and another may have got its number.
  if (found->second.serial != serial) {
    if (++unknown_count_ > kUnknownMax) watch_anew();
    return;
  }
  const Watch watch = found->second;  // it may forget itself
  run_for(watch.name, [&] { (*watch.callback)(events); });
}

// Something was closed before it was forgotten, and another process or a copy keeps it open: epoll
// goes on telling of it, under a number by which it cannot be taken out any more.
void EventLoop::drop_unknown(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  if (++unknown_count_ > kUnknownMax) watch_anew();
}

void EventLoop::watch_anew() {
  unknown_count_ = 0;
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return;
  for (const auto& [fd, watch] : watches_) {
    epoll_event event = event_for(fd, watch.events, watch.serial);
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
  }
  epoll_event event = timer_event(timer_.get());
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer_.get(), &event);
  epoll_ = std::move(epoll);
}

void EventLoop::close_account(Clock::time_point now) {
  using Seconds = std::chrono::duration<double>;
  const double seconds = Seconds(now - account_.since).count();
  const auto iterations = static_cast<double>(account_.iterations);
  const bool eager = static_cast<double>(account_.eager) > kEagerShare * iterations;
  const bool many = iterations > static_cast<double>(kSpinPerS) * seconds;
  load_.iterations_per_s = static_cast<uint64_t>(iterations / seconds);
  load_.busy_percent = std::min(100.0, 100 * Seconds(account_.awake).count() / seconds);
  // One that has been slowed down still finds something each time.
  load_.spins = eager && (many || load_.spins);
  load_.busiest.clear();
  const auto weight = [&](const auto& entry) {
    return load_.spins ? static_cast<int64_t>(entry.second.count) : entry.second.took.count();
  };
  const auto most = std::ranges::max_element(account_.by_name, {}, weight);
  if (most != account_.by_name.end()) load_.busiest = most->first;
  account_ = Account{.since = now};
  unknown_count_ = 0;
}

// Sets the timerfd where another timer is due next than the one that it waits for.
void EventLoop::arm_timers() {
  if (timers_.empty()) return;
  const Clock::time_point next = timers_.begin()->first.first;
  if (next == armed_) return;
  const auto since_boot = next.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec spec{};
  spec.it_value = {seconds.count(), (since_boot - seconds).count()};
  check(timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0, "timerfd_settime");
  armed_ = next;
}

void EventLoop::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto node = timers_.extract(timers_.begin());  // it may add timers, and cancel others
    const Waiting& timer = node.mapped();
    const auto took = run_for(timer.name, timer.callback);
    if (timer.period == Clock::duration::zero()) continue;
    add_timer(std::max(now + timer.period, Clock::now() + kTimerRest * took), timer);
  }
}

}  // namespace sluice::control
