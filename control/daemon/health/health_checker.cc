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
#include "control/daemon/health/dns_probe.h"
#include "control/daemon/health/tcp_probe.h"
#include "control/daemon/health/udp_probe.h"
#include "dataplane/net/proxy_protocol.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPublishEvery{100};
constexpr milliseconds kLookEvery{100};  // at handshakes and slow starts
constexpr milliseconds kSpread{1000};    // first checks start within that time
constexpr milliseconds kInDoubt{50};     // between two checks, at least
constexpr milliseconds kNoRoom{10};      // until it is tried again
constexpr milliseconds kBeat{10};        // the timer's, while checks are on their way
constexpr milliseconds kHeldUp{10};      // where it comes so late, the thread was held up
constexpr int kStepsPerIteration = 32;   // so that the way to the kernel gets its turn as well

milliseconds median_of(const std::deque<milliseconds>& values) {
  std::vector<milliseconds> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  return *middle;
}

std::string name_of(const ProbeTarget& target) {
  return fmt::format("{} {}", target.service, to_string(target.backend));
}

// Who listens at a port of its own for checks alone is not told who asks.
std::string greeting_of(const ServiceConfig& service) {
  if (service.proxy_protocol == ProxyProtocol::kOff || service.health_check->port != 0) return {};
  net::ProxyHeader header;
  const uint16_t length = net::write_local_proxy_header(service.proxy_protocol == ProxyProtocol::kV1
                                                            ? net::ProxyVersion::kV1
                                                            : net::ProxyVersion::kV2,
                                                        header);
  return {header.begin(), header.begin() + length};
}

ProbeTarget target_of(const Config& config, const RouteLookup& routes, const ServiceConfig& service,
                      const BackendConfig& backend) {
  ProbeTarget target{service.name, backend.address,       {},
                     {},           *service.health_check, greeting_of(service)};
  if (const auto way = routes.find(backend.address.ip)) {
    target.source = way->source;
    target.device = config.interfaces[way->interface].kernel;
  }
  return target;
}

HealthRules rules_of(const HealthCheckConfig& check) {
  return {check.rise, check.fall, check.slow_start};
}

std::string said_of(const HandshakeCounts& row) {
  return fmt::format("clients' handshakes fail (refused {}, unanswered {})", row.refused,
                     row.unanswered);
}

}  // namespace

milliseconds jittered(milliseconds wait, uint32_t percent, uint32_t random) {
  const milliseconds spread = wait * percent / 100;
  return wait - spread + milliseconds(random % (2 * spread.count() + 1));
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
  const RouteLookup routes(config);
  for (const ServiceConfig& service : config.services) {
    const auto first = known.lower_bound({key_of(service), {}});
    const bool runs = first != known.end() && first->service == key_of(service);
    for (const BackendConfig& backend : service.backends) {
      const BackendKey key = key_of(service, backend);
      configured_.insert(key);
      if (!service.health_check) continue;
      watched_[key] = take_over(before, key, target_of(config, routes, service, backend),
                                runs && !known.contains(key));
    }
  }
  forget_others();
  running_count_ = 0;
  for (const auto& [key, watched] : watched_) {
    due_.insert({watched->due, watched.get()});
    running_count_ += watched->checking ? 1 : 0;
  }
  arm();
}

bool HealthChecker::recall_down(const BackendKey& key, std::string_view reason) {
  const auto found = watched_.find(key);
  if (found == watched_.end()) return false;
  found->second->state.bring_down(reason, std::chrono::steady_clock::now());
  return true;
}

// A backend that stays keeps what is known of it, and where its check is the same that one too.
std::unique_ptr<HealthChecker::Watched> HealthChecker::take_over(Backends& before,
                                                                 const BackendKey& key,
                                                                 const ProbeTarget& target,
                                                                 bool joins) {
  const SteadyTime now = std::chrono::steady_clock::now();
  auto found = before.find(key);
  std::unique_ptr<Watched> watched;
  if (found != before.end()) {
    watched = std::move(found->second);
    before.erase(found);
    if (watched->target == target) return watched;
  } else {
    watched = std::make_unique<Watched>(
        Watched{.key = key,
                .state = HealthState(health_[key], now, joins),
                .passive = PassiveCheck(key.service.protocol, hooks_.handshakes(key))});
  }
  watched->target = target;
  watched->rules = rules_of(target.check);
  watched->probe = make_probe(target);
  watched->checking = false;
  watched->due = now + milliseconds(random_() % std::min(target.check.interval, kSpread).count());
  return watched;
}

std::unique_ptr<Probe> HealthChecker::make_probe(const ProbeTarget& target) {
  switch (target.check.type) {
    case CheckType::kTcp:
      return std::make_unique<TcpProbe>(loop_, target);
    case CheckType::kHttp:
    case CheckType::kHttps:
      return std::make_unique<CurlProbe>(loop_, curl_, target);
    case CheckType::kUdp:
      return std::make_unique<UdpProbe>(loop_, target);
    case CheckType::kDns:
      return std::make_unique<DnsProbe>(loop_, target);
    case CheckType::kCommand:
      break;
  }
  return std::make_unique<CommandProbe>(commands_, target);
}

void HealthChecker::forget_others() {
  std::erase_if(health_, [this](const auto& entry) { return !watched_.contains(entry.first); });
}

// ---- when --------------------------------------------------------------------------------------

void HealthChecker::schedule(Watched& watched, SteadyTime due) {
  due_.erase({watched.due, &watched});
  watched.due = due;
  due_.insert({due, &watched});
}

SteadyTime HealthChecker::next_due(const Watched& watched, SteadyTime now) {
  const HealthCheckConfig& check = watched.target.check;
  milliseconds wait = jittered(check.interval, check.jitter_percent, random_());
  if (watched.state.in_doubt()) {
    wait = std::max(kInDoubt, check.interval / check.fall);
  }
  return std::max(now, watched.started + wait);
}

void HealthChecker::arm() {
  const SteadyTime now = std::chrono::steady_clock::now();
  SteadyTime next = due_.empty() ? SteadyTime::max() : due_.begin()->first;
  if (publish_due_) next = std::min(next, *publish_due_);
  if (running_count_ > 0) next = std::min(next, now + kBeat);
  if (next == SteadyTime::max()) return timer_.cancel();
  armed_ = std::max(next, now);
  timer_ = loop_.after(
      armed_ - now, [this] { on_timer(); }, "health checks");
}

void HealthChecker::on_timer() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now > armed_ + kHeldUp) give_time_back(now - armed_);
  for (int i = 0; i < kStepsPerIteration && !due_.empty(); ++i) {
    const auto [due, watched] = *due_.begin();
    if (due > now) break;
    if (watched->checking) {
      on_result(*watched, ProbeResult::bad(watched->probe->give_up()));
    } else {
      start_check(*watched, now);
    }
  }
  if (publish_due_ && *publish_due_ <= now) publish(now);
  arm();
}

void HealthChecker::give_time_back(std::chrono::steady_clock::duration late) {
  for (const auto& [key, watched] : watched_) {
    if (watched->checking) schedule(*watched, watched->due + late);
  }
}

// ---- checks ------------------------------------------------------------------------------------

void HealthChecker::start_check(Watched& watched, SteadyTime now) {
  if (!watched.probe->may_start()) return schedule(watched, now + kNoRoom);
  watched.checking = true;
  ++running_count_;
  watched.started = now;
  schedule(watched, now + watched.target.check.timeout);
  watched.probe->start([this, &watched](const ProbeResult& result) {
    on_result(watched, result);
    arm();
  });
}

void HealthChecker::on_result(Watched& watched, const ProbeResult& result) {
  const SteadyTime now = std::chrono::steady_clock::now();
  watched.checking = false;
  --running_count_;
  HealthView& view = watched.state.view();
  view.last_check = std::chrono::floor<milliseconds>(now - watched.started);
  if (result.kind == ProbeResult::Kind::kNone) {
    if (view.check_error != result.reason) {
      spdlog::warn("backend {} cannot be checked: {}", name_of(watched.target), result.reason);
    }
    view.check_error = result.reason;
  } else {
    count_result(watched, result, now);
  }
  schedule(watched, next_due(watched, now));
}

void HealthChecker::count_result(Watched& watched, const ProbeResult& result, SteadyTime now) {
  HealthView& view = watched.state.view();
  view.check_error.clear();
  const bool good = result.kind == ProbeResult::Kind::kGood;
  ++(good ? view.checks_good : view.checks_bad);
  if (good) {
    if (watched.good_took.size() == kUsual) watched.good_took.pop_front();
    watched.good_took.push_back(view.last_check);
    view.usual_check = median_of(watched.good_took);
  }
  const SteadyTime since = view.since;
  const uint32_t row_count = watched.state.row_count() + 1;
  if (watched.state.observe(good, result.reason, watched.rules, now)) {
    note_change(watched, since, row_count);
  }
}

void HealthChecker::look_at_handshakes(Watched& watched, SteadyTime now) {
  const uint64_t failed = watched.passive.look(hooks_.handshakes(watched.key));
  if (watched.state.health() == Health::kDown) return watched.passive.forget();
  if (watched.passive.row_count() >= PassiveCheck::kRowMax) {
    const SteadyTime since = watched.state.view().since;
    if (watched.state.bring_down(said_of(watched.passive.row()), now)) {
      note_change(watched, since, static_cast<uint32_t>(watched.passive.row_count()));
    }
    watched.passive.forget();
  } else if (failed > 0 && !watched.checking && now >= watched.started + kInDoubt) {
    schedule(watched, now);
  }
}

void HealthChecker::look_around() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const auto& [key, watched] : watched_) {
    const Health before = watched->state.health();
    if (watched->state.advance(watched->rules, now)) publish_soon(now);
    if (before == Health::kStarting && watched->state.health() == Health::kUp) {
      spdlog::info("backend {} has its full share again", name_of(watched->target));
    }
    if (watched->target.check.passive) look_at_handshakes(*watched, now);
  }
  arm();
}

// ---- what follows ------------------------------------------------------------------------------

void HealthChecker::note_change(Watched& watched, SteadyTime since_before, uint32_t row_count) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const std::string name = name_of(watched.target);
  const std::string before =
      human_ms(std::chrono::duration<double, std::milli>(now - since_before).count());
  switch (watched.state.health()) {
    case Health::kDown:
      spdlog::warn("backend {} is down: {} ({} in a row)", name, watched.state.view().reason,
                   row_count);
      if (watched.target.check.on_down == OnDown::kReset) to_reset_.push_back(watched.key);
      break;
    case Health::kStarting:
      spdlog::info("backend {} is up after {}, and gets its full share over {} s", name, before,
                   watched.target.check.slow_start.count());
      break;
    case Health::kUp:
      if (watched.state.view().checks_good > 1)
        spdlog::info("backend {} is up after {}", name, before);
      break;
    case Health::kUnchecked:
      break;
  }
  publish_soon(now);
}

// Says once that a service has no backend left, and once that it has one again.
void HealthChecker::note_services() {
  std::map<ServiceKey, std::pair<const ProbeTarget*, bool>> services;  // and whether all is down
  for (const auto& [key, watched] : watched_) {
    auto& [target, all_down] = services.try_emplace(key.service, nullptr, true).first->second;
    target = &watched->target;
    all_down = all_down && !watched->state.view().takes_flows;
  }
  std::set<ServiceKey> all_down;
  for (const auto& [key, service] : services) {
    const auto& [target, is_down] = service;
    if (is_down) all_down.insert(key);
    if (is_down == all_down_.contains(key)) continue;
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

void HealthChecker::publish_soon(SteadyTime now) {
  if (publish_due_) return;
  publish_due_ = std::max(now, published_ + kPublishEvery);
}

void HealthChecker::publish(SteadyTime now) {
  publish_due_.reset();
  published_ = now;
  hooks_.publish();
  note_services();
  const auto to_reset = std::exchange(to_reset_, {});
  if (!to_reset.empty()) hooks_.reset_flows(to_reset);
}

}  // namespace sluice::control
