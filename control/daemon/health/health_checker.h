// SPDX-License-Identifier: BSD-3-Clause
// All health checks: when each is due, what its results say, and what follows from that.
//
// A check of a backend starts every `interval`, give or take the jitter, and is given up after
// `timeout`. While bad results contradict what is believed of it, they follow each other so
// closely that the question is settled within one interval; a handshake of a client's that fails
// brings the next check forward to now. Everything runs on the control thread and nothing blocks
// it. Where it was itself held up, or did not get its CPU, checks that were on their way get that
// time back: it is not the backends' fault.
//
// Changes reach the workers by a new snapshot, those of a tenth of a second together.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/health/command_runner.h"
#include "control/daemon/health/curl_engine.h"
#include "control/daemon/health/health_state.h"
#include "control/daemon/health/passive_check.h"
#include "control/daemon/health/probe.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

// `wait` give or take `percent`; `random` decides.
std::chrono::milliseconds jittered(std::chrono::milliseconds wait, uint32_t percent,
                                   uint32_t random);

class HealthChecker {
 public:
  struct Hooks {
    // Weights have changed: to be published.
    std::function<void()> publish;
    // These have gone down, and their flows shall not outlive that.
    std::function<void(const std::vector<BackendKey>&)> reset_flows;
    // What workers have counted for a backend.
    std::function<HandshakeCounts(const BackendKey&)> handshakes;
  };

  // Keeps in `health` what is known of every backend that is checked; it outlives this.
  HealthChecker(EventLoop& loop, HealthMap& health, Hooks hooks);
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // Another configuration comes into force. What is known of a backend that stays is kept.
  void apply(const Config& config);
  // What a process before this one believed: the backend is down until its checks say otherwise.
  // False where it is not checked.
  bool recall_down(const BackendKey& key, std::string_view reason);

 private:
  struct Watched {
    BackendKey key;
    ProbeTarget target;
    HealthRules rules;
    HealthState state;
    PassiveCheck passive;
    std::unique_ptr<Probe> probe;
    bool checking = false;
    SteadyTime started{};  // the last check
    SteadyTime due{};      // the next one; while it is checked: when it is given up
    std::deque<std::chrono::milliseconds> good_took;  // how long the last kUsual good ones took
  };
  static constexpr size_t kUsual = 5;  // checks
  using Due = std::pair<SteadyTime, Watched*>;
  using Backends = std::map<BackendKey, std::unique_ptr<Watched>>;

  std::unique_ptr<Watched> take_over(Backends& before, const BackendKey& key,
                                     const ProbeTarget& target, bool joins);
  void forget_others();
  std::unique_ptr<Probe> make_probe(const ProbeTarget& target);
  void schedule(Watched& watched, SteadyTime due);
  SteadyTime next_due(const Watched& watched, SteadyTime now);
  void arm();
  void on_timer();
  void give_time_back(std::chrono::steady_clock::duration late);
  void start_check(Watched& watched, SteadyTime now);
  void on_result(Watched& watched, const ProbeResult& result);
  void count_result(Watched& watched, const ProbeResult& result, SteadyTime now);
  void look_at_handshakes(Watched& watched, SteadyTime now);
  void look_around();
  void note_change(Watched& watched, SteadyTime since_before, uint32_t row_count);
  void note_services();
  void publish_soon(SteadyTime now);
  void publish(SteadyTime now);

  EventLoop& loop_;
  HealthMap& health_;
  Hooks hooks_;
  CurlEngine curl_;
  CommandRunner commands_;
  EventLoop::Timer timer_;
  SteadyTime armed_{};  // what the timer waits for
  Backends watched_;
  std::set<Due> due_;
  size_t running_count_ = 0;         // checks on their way
  std::set<BackendKey> configured_;  // checked or not
  std::set<ServiceKey> all_down_;    // services of which that has been said
  std::vector<BackendKey> to_reset_;
  std::optional<SteadyTime> publish_due_;  // none: nothing to publish
  SteadyTime published_{};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sluice::control
