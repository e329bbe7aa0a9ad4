// SPDX-License-Identifier: BSD-3-Clause
// One timer, the set of what is due, and the hooks.
#include "control/daemon/health/health_checker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "control/common/clock.h"
#include "control/common/human.h"
#include "control/config/route_lookup.h"
#include "control/daemon/health/command_probe.h"
#include "control/daemon/health/curl_probe.h"
#include "control/daemon/health/tcp_probe.h"

namespace sluice::control {
namespace {

constexpr uint64_t kPublishEveryMs = 100;
constexpr std::chrono::milliseconds kLookEvery{100};  // at handshakes and slow starts
constexpr uint64_t kSpreadMs = 1000;                  // first checks start within that time
constexpr uint64_t kInDoubtMs = 50;                   // between two checks, at least
constexpr uint64_t kNoRoomMs = 10;                    // until it is tried again
constexpr uint64_t kBeatMs = 10;  // while checks are on their way the timer fires at least so often
constexpr uint64_t kHeldUpMs = 10;      // and where it comes so late, the thread was held up
constexpr int kStepsPerIteration = 32;  // so that the way to the kernel gets its turn as well

uint64_t median_of(const std::deque<uint64_t>& values) {
  std::vector<uint64_t> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  return *middle;
}

std::string name_of(const ProbeTarget& target) {
  return fmt::format("{} {}", target.service, net::to_string(target.backend));
}

ProbeTarget target_of(const Config& config, const ServiceConfig& service,
                      const BackendConfig& backend) {
  ProbeTarget target{service.name, backend.address, {}, {}, *service.health_check};
  if (const auto way = lookup_route(config, backend.address.ip)) {
    target.source = way->source;
    target.device = config.interfaces[way->interface].kernel;
  }
  return target;
}

HealthRules rules_of(const HealthCheckConfig& check) {
  return {check.rise, check.fall, check.slow_start_seconds * uint64_t{1000}};
}

std::string said_of(const HandshakeCounts& row) {
  return fmt::format("clients' handshakes fail (refused {}, unanswered {})", row.refused,
                     row.unanswered);
}

}  // namespace

uint64_t jittered(uint64_t wait_ms, uint32_t percent, uint32_t random) {
  const uint64_t spread_ms = wait_ms * percent / 100;
  return wait_ms - spread_ms + random % (2 * spread_ms + 1);
}

HealthChecker::HealthChecker(EventLoop& loop, HealthMap& health, Hooks hooks)
    : loop_(loop), health_(health), hooks_(std::move(hooks)), curl_(loop), commands_(loop) {
  loop_.every(
      kLookEvery, [this] { look_around(); }, "health checks");
}

// ---- who is checked ----------------------------------------------------------------------------

void HealthChecker::apply(const Config& config) {
  Backends before = std::exchange(watched_, {});
  const std::set<BackendKey> known = std::exchange(configured_, {});
  due_.clear();
  for (const ServiceConfig& service : config.services) {
    const bool runs =
        std::ranges::any_of(known, [&](const BackendKey& key) { return key.vip == service.vip; });
    for (const BackendConfig& backend : service.backends) {
      const BackendKey key{service.vip, backend.address};
      configured_.insert(key);
      if (!service.health_check) continue;
      watched_[key] =
          take_over(before, key, target_of(config, service, backend), runs && !known.contains(key));
    }
  }
  forget_others();
  running_count_ = 0;
  for (const auto& [key, watched] : watched_) {
    due_.insert({watched->due_ms, watched.get()});
    running_count_ += watched->checking ? 1 : 0;
  }
  arm();
}

// A backend that stays keeps what is known of it, and where its check is the same that one too.
std::unique_ptr<HealthChecker::Watched> HealthChecker::take_over(Backends& before,
                                                                 const BackendKey& key,
                                                                 const ProbeTarget& target,
                                                                 bool joins) {
  const uint64_t now_ms = steady_ms();
  auto found = before.find(key);
  std::unique_ptr<Watched> watched;
  if (found != before.end()) {
    watched = std::move(found->second);
    before.erase(found);
    if (watched->target == target) return watched;
  } else {
    watched = std::make_unique<Watched>(Watched{.key = key,
                                                .state = HealthState(health_[key], now_ms, joins),
                                                .passive = PassiveCheck(hooks_.handshakes(key))});
  }
  watched->target = target;
  watched->rules = rules_of(target.check);
  watched->probe = make_probe(target);
  watched->checking = false;
  watched->due_ms = now_ms + random_() % std::min<uint64_t>(target.check.interval_ms, kSpreadMs);
  return watched;
}

std::unique_ptr<Probe> HealthChecker::make_probe(const ProbeTarget& target) {
  switch (target.check.type) {
    case CheckType::kTcp:
      return std::make_unique<TcpProbe>(loop_, target);
    case CheckType::kHttp:
    case CheckType::kHttps:
      return std::make_unique<CurlProbe>(curl_, target);
    case CheckType::kCommand:
      break;
  }
  return std::make_unique<CommandProbe>(commands_, target);
}

void HealthChecker::forget_others() {
  std::erase_if(health_, [this](const auto& entry) { return !watched_.contains(entry.first); });
}

// ---- when --------------------------------------------------------------------------------------

void HealthChecker::schedule(Watched& watched, uint64_t due_ms) {
  due_.erase({watched.due_ms, &watched});
  watched.due_ms = due_ms;
  due_.insert({due_ms, &watched});
}

uint64_t HealthChecker::next_due_ms(const Watched& watched, uint64_t now_ms) {
  const HealthCheckConfig& check = watched.target.check;
  uint64_t wait_ms = jittered(check.interval_ms, check.jitter_percent, random_());
  if (watched.state.in_doubt()) {
    wait_ms = std::max<uint64_t>(kInDoubtMs, check.interval_ms / check.fall);
  }
  return std::max(now_ms, watched.started_ms + wait_ms);
}

void HealthChecker::arm() {
  uint64_t next_ms = due_.empty() ? UINT64_MAX : due_.begin()->first;
  if (publish_due_ms_ != 0) next_ms = std::min(next_ms, publish_due_ms_);
  const uint64_t now_ms = steady_ms();
  if (running_count_ > 0) next_ms = std::min(next_ms, now_ms + kBeatMs);
  if (next_ms == UINT64_MAX) return timer_.cancel();
  armed_ms_ = std::max(next_ms, now_ms);
  timer_ = loop_.after(
      std::chrono::milliseconds(armed_ms_ - now_ms), [this] { on_timer(); }, "health checks");
}

void HealthChecker::on_timer() {
  const uint64_t now_ms = steady_ms();
  if (now_ms > armed_ms_ + kHeldUpMs) give_time_back(now_ms - armed_ms_);
  for (int i = 0; i < kStepsPerIteration && !due_.empty(); ++i) {
    const auto [due_ms, watched] = *due_.begin();
    if (due_ms > now_ms) break;
    if (watched->checking) {
      on_result(*watched, ProbeResult::bad(watched->probe->give_up()));
    } else {
      start_check(*watched, now_ms);
    }
  }
  if (publish_due_ms_ != 0 && publish_due_ms_ <= now_ms) publish(now_ms);
  arm();
}

void HealthChecker::give_time_back(uint64_t late_ms) {
  for (const auto& [key, watched] : watched_) {
    if (watched->checking) schedule(*watched, watched->due_ms + late_ms);
  }
}

// ---- checks ------------------------------------------------------------------------------------

void HealthChecker::start_check(Watched& watched, uint64_t now_ms) {
  if (!watched.probe->may_start()) return schedule(watched, now_ms + kNoRoomMs);
  watched.checking = true;
  ++running_count_;
  watched.started_ms = now_ms;
  schedule(watched, now_ms + watched.target.check.timeout_ms);
  watched.probe->start([this, &watched](const ProbeResult& result) {
    on_result(watched, result);
    arm();
  });
}

void HealthChecker::on_result(Watched& watched, const ProbeResult& result) {
  const uint64_t now_ms = steady_ms();
  watched.checking = false;
  --running_count_;
  HealthView& view = watched.state.view();
  view.last_check_ms = now_ms - watched.started_ms;
  if (result.kind == ProbeResult::Kind::kNone) {
    if (view.check_error != result.reason) {
      spdlog::warn("backend {} cannot be checked: {}", name_of(watched.target), result.reason);
    }
    view.check_error = result.reason;
  } else {
    count_result(watched, result, now_ms);
  }
  schedule(watched, next_due_ms(watched, now_ms));
}

void HealthChecker::count_result(Watched& watched, const ProbeResult& result, uint64_t now_ms) {
  HealthView& view = watched.state.view();
  view.check_error.clear();
  const bool good = result.kind == ProbeResult::Kind::kGood;
  ++(good ? view.checks_good : view.checks_bad);
  if (good) {
    if (watched.good_ms.size() == kUsual) watched.good_ms.pop_front();
    watched.good_ms.push_back(view.last_check_ms);
    view.usual_check_ms = median_of(watched.good_ms);
  }
  const uint64_t since_ms = view.since_ms;
  const uint32_t row_count = watched.state.row_count() + 1;
  if (watched.state.observe(good, result.reason, watched.rules, now_ms)) {
    note_change(watched, since_ms, row_count);
  }
}

void HealthChecker::look_at_handshakes(Watched& watched, uint64_t now_ms) {
  const uint64_t failed = watched.passive.look(hooks_.handshakes(watched.key));
  if (watched.state.health() == Health::kDown) return watched.passive.forget();
  if (watched.passive.row_count() >= PassiveCheck::kRowMax) {
    const uint64_t since_ms = watched.state.view().since_ms;
    if (watched.state.bring_down(said_of(watched.passive.row()), now_ms)) {
      note_change(watched, since_ms, static_cast<uint32_t>(watched.passive.row_count()));
    }
    watched.passive.forget();
  } else if (failed > 0 && !watched.checking && now_ms >= watched.started_ms + kInDoubtMs) {
    schedule(watched, now_ms);
  }
}

void HealthChecker::look_around() {
  const uint64_t now_ms = steady_ms();
  for (const auto& [key, watched] : watched_) {
    const Health before = watched->state.health();
    if (watched->state.advance(watched->rules, now_ms)) publish_soon(now_ms);
    if (before == Health::kStarting && watched->state.health() == Health::kUp) {
      spdlog::info("backend {} has its full share again", name_of(watched->target));
    }
    if (watched->target.check.passive) look_at_handshakes(*watched, now_ms);
  }
  arm();
}

// ---- what follows ------------------------------------------------------------------------------

void HealthChecker::note_change(Watched& watched, uint64_t since_before_ms, uint32_t row_count) {
  const uint64_t now_ms = steady_ms();
  const std::string name = name_of(watched.target);
  const std::string before = human_ms(static_cast<double>(now_ms - since_before_ms));
  switch (watched.state.health()) {
    case Health::kDown:
      spdlog::warn("backend {} is down: {} ({} in a row)", name, watched.state.view().reason,
                   row_count);
      if (watched.target.check.on_down == OnDown::kReset) to_reset_.push_back(watched.key);
      break;
    case Health::kStarting:
      spdlog::info("backend {} is up after {}, and gets its full share over {} s", name, before,
                   watched.target.check.slow_start_seconds);
      break;
    case Health::kUp:
      if (watched.state.view().checks_good > 1)
        spdlog::info("backend {} is up after {}", name, before);
      break;
    case Health::kUnchecked:
      break;
  }
  publish_soon(now_ms);
}

// Says once that a service has no backend left, and once that it has one again.
void HealthChecker::note_services() {
  std::map<net::Endpoint, std::pair<const ProbeTarget*, bool>> services;  // and whether all is down
  for (const auto& [key, watched] : watched_) {
    auto& [target, all_down] = services.try_emplace(key.vip, nullptr, true).first->second;
    target = &watched->target;
    all_down = all_down && !watched->state.view().takes_flows;
  }
  std::set<net::Endpoint> all_down;
  for (const auto& [vip, service] : services) {
    const auto& [target, is_down] = service;
    if (is_down) all_down.insert(vip);
    if (is_down == all_down_.contains(vip)) continue;
    if (is_down) {
      spdlog::error("service {}: every backend is down: {}", target->service,
                    target->check.all_down == AllDown::kRefuse ? "new connections are refused"
                                                               : "all are used as they are");
    } else {
      spdlog::info("service {}: not every backend is down any more", target->service);
    }
  }
  all_down_ = std::move(all_down);
}

void HealthChecker::publish_soon(uint64_t now_ms) {
  if (publish_due_ms_ != 0) return;
  publish_due_ms_ = std::max(now_ms, published_ms_ + kPublishEveryMs);
}

void HealthChecker::publish(uint64_t now_ms) {
  publish_due_ms_ = 0;
  published_ms_ = now_ms;
  hooks_.publish();
  note_services();
  const auto to_reset = std::exchange(to_reset_, {});
  if (!to_reset.empty()) hooks_.reset_flows(to_reset);
}

}  // namespace sluice::control
