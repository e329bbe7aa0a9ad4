// SPDX-License-Identifier: BSD-3-Clause
// Overrides, reload, save and drain, as requests.
#include "control/daemon/api/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "control/common/errors.h"
#include "control/common/row_json.h"
#include "control/common/text.h"
#include "control/config/config_load.h"
#include "control/config/config_schema.h"
#include "control/config/config_secrets.h"
#include "control/daemon/api/request_names.h"
#include "control/daemon/core/reload.h"
#include "control/daemon/log/log.h"
#include "control/daemon/log/sd_notify.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kCheckMax{30};  // of a reload's file; sluicectl waits longer

// `up` ends a drain, or what was taken down by hand; where neither is, it overrules the health
// check of a backend that is down.
AdminState up_after(AdminState before, bool healthy) {
  const bool ends = before == AdminState::kDrain || before == AdminState::kDown;
  if (ends) return AdminState::kAuto;
  return healthy ? before : AdminState::kUp;
}

// What the request makes of the override that is there.
Override changed(Override over, const BackendConfig& backend, bool healthy, const json& request) {
  if (request.contains("weight")) over.weight = request.at("weight").get<uint32_t>();
  const AdminState before = over.state;
  const auto wanted = value_of<AdminState>(request.value("state", ""));
  if (wanted) over.state = *wanted;
  const bool wants_up = wanted == AdminState::kUp;
  if (wants_up) over.state = up_after(before, healthy);
  if (wants_up && effective_weight(backend.weight, &over) == 0) {
    throw RequestError("its weight is 0: up needs a weight as well (--weight N)");
  }
  return over;
}

// "web 10.2.0.10:80: drain (in the file: weight 2)"
std::string said_of(const ServiceConfig& service, const BackendConfig& backend,
                    const Override& over) {
  return fmt::format("{} {}: {} (in the file: weight {})", service.name, to_string(backend.address),
                     over.empty() ? "no override" : to_string(over), backend.weight);
}

bool takes_flows(const ServiceConfig& service, const DataplaneManager& dataplane) {
  return std::ranges::any_of(dataplane.weights_of(service).weights,
                             [](uint32_t weight) { return weight > 0; });
}

// "down, connect timed out (--up takes it up all the same)"
std::string health_text(const HealthView& health, const Override& over) {
  std::string text(to_string(health.health));
  if (!health.reason.empty()) text += ", " + health.reason;
  if (over.state == AdminState::kAuto) text += " (--up takes it up all the same)";
  return text;
}

uint64_t sum_over_backends(const DataplaneManager& dataplane, Counter BackendState::*counter) {
  uint64_t total = 0;
  for (const auto& [key, backend] : dataplane.identities().backends()) {
    total += dataplane.identities().sum(&Registry::backends, backend.id, counter);
  }
  return total;
}

uint64_t refused_while_draining(const DataplaneManager& dataplane) {
  uint64_t total = 0;
  for (const auto& worker : dataplane.workers()) {
    total += worker->counters().drops[static_cast<size_t>(net::DropReason::draining)].value();
  }
  return total;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

// ---- overrides ---------------------------------------------------------------------------------

std::string Operations::set_backend(const json& request) {
  const ServiceConfig& service = service_named(dataplane_.config(), request.at("service"));
  const BackendConfig& backend = backend_at(service, request.at("backend"));
  const bool reset_flows = request.value("reset_flows", false);
  const BackendKey key = key_of(service, backend);
  Overrides overrides = dataplane_.runtime().overrides;
  const HealthMap& health = dataplane_.runtime().health;
  const auto known = health.find(key);
  const bool healthy = known == health.end() || known->second.takes_flows;
  const Override over = changed(overrides[key], backend, healthy, request);
  if (reset_flows && over.state != AdminState::kDown) {
    throw RequestError("flows are reset only of a backend that goes down");
  }
  overrides[key] = over;
  if (over.empty()) overrides.erase(key);
  dataplane_.set_overrides(overrides);

  std::string message = said_of(service, backend, over);
  const BackendId id = dataplane_.identities().backends().at(key).id;
  if (reset_flows) {
    message += fmt::format("; flows reset: {}", dataplane_.reset_flows({key}));
  } else if (effective_weight(backend.weight, &over) == 0) {
    message +=
        fmt::format("; flows that go on: {}",
                    dataplane_.identities().sum(&Registry::backends, id, &BackendState::active));
  }
  if (!healthy) message += "; its health check says: " + health_text(known->second, over);
  spdlog::info("override: {}", message);
  if (!takes_flows(service, dataplane_)) {
    const std::string none = fmt::format("no backend of {} takes new flows now", service.name);
    spdlog::warn("{}", none);
    message += "; " + none;
  }
  return message;
}

std::string Operations::clear_backend(const json& request) {
  Overrides overrides = dataplane_.runtime().overrides;
  const auto before = list_overrides(overrides, dataplane_.config());
  if (request.value("all", false)) {
    overrides.clear();
  } else if (!request.contains("service") || !request.contains("backend")) {
    throw RequestError("say which: service and backend, or all");
  } else {
    const ServiceConfig& service = service_named(dataplane_.config(), request.at("service"));
    const BackendConfig& backend = backend_at(service, request.at("backend"));
    overrides.erase(key_of(service, backend));
  }
  const size_t cleared = before.size() - overrides.size();
  if (cleared == 0) return "there was no override";
  dataplane_.set_overrides(overrides);
  const std::string message =
      fmt::format("overrides cleared: {}, left: {}", cleared, overrides.size());
  spdlog::info("{}", message);
  return message;
}

// ---- the file ----------------------------------------------------------------------------------

void Operations::check_choice(OnReload choice) const {
  const auto list = list_overrides(dataplane_.runtime().overrides, dataplane_.config());
  if (choice != OnReload::kRefuse || list.empty()) return;
  throw RequestError(
      fmt::format("overrides are in force ({}): keep them, drop them, or save "
                  "them first (--keep-overrides | --drop-overrides)",
                  join(list, "; ")));
}

void Operations::reload(OnReload choice, Done done) {
  check_choice(choice);
  if (loader_.busy()) {
    throw RequestError("a reload is on its way: try again when it has ended");
  }
  tell_reloading();
  reload_late_ = Clock::now() + kCheckMax;
  reload_done_ = std::move(done);
  try {
    loader_.start(file_, [this, choice](const LoadedConfig& next) {
      finish_reload(next, choice, std::exchange(reload_done_, nullptr));
    });
  } catch (const std::system_error& error) {
    end_reload({false, fmt::format("{} cannot be read now: {}", file_, error.what())},
               std::exchange(reload_done_, nullptr));
  }
}

void Operations::reload_by_signal() {
  if (loader_.busy()) {
    reload_again_ = true;
    return;
  }
  reload(OnReload::kKeep, [](const Outcome&) {});  // the log has said what came of it
}

// The overrides are those of now: they may have changed while the file was read.
void Operations::finish_reload(const LoadedConfig& next, OnReload choice, const Done& done) {
  Outcome outcome{true, {}};
  try {
    check_choice(choice);
    check_reload(dataplane_.config(), next, file_);
    outcome.text = put_into_force(next, choice);
  } catch (const std::runtime_error& error) {  // ApplyError, RequestError
    outcome = {false, error.what()};
  }
  end_reload(outcome, done);
}

std::string Operations::put_into_force(const LoadedConfig& next, OnReload choice) {
  const Overrides before = dataplane_.runtime().overrides;
  Overrides kept;
  if (choice == OnReload::kKeep) kept = still_configured(before, next.config);
  dataplane_.apply(next.config, kept);
  text_ = next.text;
  set_log_level(next.config.control.log_level);
  std::string fate;
  if (!before.empty()) {
    fate =
        fmt::format("; overrides kept: {}, dropped: {}", kept.size(), before.size() - kept.size());
  }
  return fmt::format("reloaded {}: {}{}", file_, summary(), fate);
}

void Operations::end_reload(const Outcome& outcome, const Done& done) {
  reloads_.last_succeeded = outcome.reloaded;
  if (outcome.reloaded) {
    ++reloads_.succeeded;
    reloads_.last_error.clear();
    reloads_.last_success_s = unix_seconds();
    spdlog::info("{}", outcome.text);
    tell_ready(summary());
  } else {
    ++reloads_.failed;
    reloads_.last_error = first_line(outcome.text);
    spdlog::error("reload refused, nothing has changed:\n{}", outcome.text);
    tell_ready(summary() + "; the last reload was refused");
  }
  if (done) done(outcome);
}

void Operations::look_after_reload() {
  if (!loader_.busy() && std::exchange(reload_again_, false)) return reload_by_signal();
  if (!reload_done_ || Clock::now() < reload_late_) return;
  loader_.give_up();
  end_reload({false, fmt::format("{}: could not be checked within {} s", file_, kCheckMax.count())},
             std::exchange(reload_done_, nullptr));
}

std::string Operations::summary() const {
  size_t backends = 0;
  for (const ServiceConfig& service : dataplane_.config().services) {
    backends += service.backends.size();
  }
  return fmt::format("services {}, backends {}", dataplane_.config().services.size(), backends);
}

// Who asks writes the file (cli/save_command.h): what should stand there, and over which text.
json Operations::begin_save() const {
  if (loader_.busy()) throw RequestError("a reload is on its way: save when it has ended");
  const auto list =
      list_overrides(for_the_file(dataplane_.runtime().overrides), dataplane_.config());
  if (list.empty()) return {{"message", "there is no override to save"}};
  json rows = json::array();
  for (const ServiceConfig& service :
       with_weights(dataplane_.config(), dataplane_.runtime().overrides).services) {
    for (const BackendConfig& backend : service.backends) {
      const BackendKey key = key_of(service, backend);
      if (find_override(dataplane_.runtime().overrides, key) == nullptr) continue;
      rows.push_back({{"protocol", to_string(service.protocol)},
                      {"vip", to_string(service.vip)},
                      {"backend", to_string(backend.address)},
                      {"weight", backend.weight}});
    }
  }
  return {{"file", std::filesystem::absolute(file_)}, {"text", text_}, {"weights", rows}};
}

std::string Operations::end_save() {
  if (loader_.busy()) throw RequestError("a reload is on its way: save when it has ended");
  const auto list =
      list_overrides(for_the_file(dataplane_.runtime().overrides), dataplane_.config());
  const Config wanted = with_weights(dataplane_.config(), dataplane_.runtime().overrides);
  const LoadedConfig now = load_config(file_);
  if (!now.ok() || now.config != wanted) {
    throw RequestError(fmt::format(
        "{} does not say what is in force: the overrides stay; look at it, then reload", file_));
  }
  text_ = now.text;
  dataplane_.apply(wanted, not_for_the_file(dataplane_.runtime().overrides));
  const std::string message = fmt::format("saved into {}: {}", file_, join(list, "; "));
  spdlog::info("{}", message);
  return message;
}

json Operations::support() const {
  return {{"file", file_}, {"config", without_secrets(text_)}, {"log", recent_log()}};
}

// ---- the drain of all --------------------------------------------------------------------------

json Operations::start_drain(const json& request) {
  // Of a drain that is on, only what the request speaks of changes.
  Drain drain = drain_.value_or(
      Drain{.since = Clock::now(), .refused_before = refused_while_draining(dataplane_)});
  drain.ended = false;
  if (request.contains("timeout_s")) {
    drain.deadline = Clock::now() + std::chrono::seconds(request.at("timeout_s").get<uint32_t>());
  }
  drain.reset_rest = request.value("reset", drain.reset_rest);
  drain.stop_after = request.value("exit", drain.stop_after);
  if (drain.reset_rest && !drain.deadline) throw RequestError("reset needs a timeout");
  const bool drop = request.value("drop_syns", dataplane_.runtime().drain == OnRefusal::kDrop);
  dataplane_.set_drain(drop ? OnRefusal::kDrop : OnRefusal::kReset);
  drain_ = drain;
  spdlog::info("drain: no new flows ({}); flows that go on: {}",
               drop ? "SYNs are dropped" : "SYNs are answered with RST",
               sum_over_backends(dataplane_, &BackendState::active));
  return view_drain();
}

json Operations::end_drain() {
  if (drain_) {
    drain_.reset();
    dataplane_.set_drain(std::nullopt);
    spdlog::info("drain ended: new flows again");
  }
  return view_drain();
}

// Time goes on while no process runs: moments are the machine's (CLOCK_BOOTTIME).
json Operations::kept_drain() const {
  if (!drain_) return nullptr;
  json kept{{"drop_syns", dataplane_.runtime().drain == OnRefusal::kDrop},
            {"reset", drain_->reset_rest},
            {"exit", drain_->stop_after}};
  if (drain_->deadline) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::ceil<milliseconds>(*drain_->deadline - Clock::now());
    kept["deadline_ms"] = (boot_ms() + left).count();
  }
  return kept;
}

void Operations::recall_drain(const json& kept) {
  Drain drain{.since = Clock::now(), .refused_before = refused_while_draining(dataplane_)};
  drain.reset_rest = kept.value("reset", false);
  drain.stop_after = kept.value("exit", false);
  if (kept.contains("deadline_ms")) {
    const std::chrono::milliseconds deadline(kept.at("deadline_ms").get<int64_t>());
    drain.deadline = Clock::now() + (deadline - boot_ms());
  }
  drain_ = drain;
  dataplane_.set_drain(kept.value("drop_syns", false) ? OnRefusal::kDrop : OnRefusal::kReset);
  spdlog::info("drain: goes on from the process before");
}

void Operations::tick() {
  look_after_reload();
  if (!drain_ || drain_->ended) return;
  const uint64_t remaining = sum_over_backends(dataplane_, &BackendState::active);
  const bool late = drain_->deadline && Clock::now() >= *drain_->deadline;
  if (remaining > 0 && !late) return;
  drain_->ended = true;
  if (remaining == 0) {
    spdlog::info("drained: no flow is left");
  } else if (drain_->reset_rest) {
    spdlog::warn("drain: time is up; flows reset: {}", dataplane_.reset_all_flows());
  } else {
    spdlog::warn("drain: time is up; flows left: {}", remaining);
  }
  if (drain_->stop_after) stop_();
}

DrainRow Operations::drain_row() const {
  DrainRow row{.state = "off", .remaining = sum_over_backends(dataplane_, &BackendState::active)};
  if (!drain_) return row;
  const auto for_ms = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - drain_->since);
  row.state = row.remaining == 0 ? "drained" : "draining";
  row.syns = dataplane_.runtime().drain == OnRefusal::kDrop ? "dropped" : "reset";
  row.for_ms = static_cast<uint64_t>(for_ms.count());
  row.refused = refused_while_draining(dataplane_) - drain_->refused_before;
  row.ended = drain_->ended;
  row.exit = drain_->stop_after;
  return row;
}

json Operations::view_drain() const {
  return {{"drain", json::array({json_of(drain_row(), FieldPlace::kShow)})}};
}

}  // namespace sluice::control
