// SPDX-License-Identifier: BSD-3-Clause
// Names of counters, sums, and the way back.
#include "control/daemon/core/kept_counters.h"

#include <string>
#include <string_view>

#include "control/common/enum_words.h"

namespace sluice::control {
namespace {

using nlohmann::json;

template <class Owner>
struct Named {
  const char* name;
  Counter Owner::*counter;
};

constexpr Named<WorkerCounters> kOfWorkers[] = {{"packets_in", &WorkerCounters::packets_in},
                                                {"packets_out", &WorkerCounters::packets_out},
                                                {"bytes_in", &WorkerCounters::bytes_in},
                                                {"bytes_out", &WorkerCounters::bytes_out}};

constexpr Named<ServiceState> kOfServices[] = {{"connections", &ServiceState::connections},
                                               {"refused", &ServiceState::refused}};

constexpr Named<BackendState> kOfBackends[] = {
    {"packets_in", &BackendState::packets_in},
    {"packets_out", &BackendState::packets_out},
    {"bytes_in", &BackendState::bytes_in},
    {"bytes_out", &BackendState::bytes_out},
    {"connections", &BackendState::connections},
    {"answered", &BackendState::answered},
    {"refused", &BackendState::refused},
    {"unanswered", &BackendState::unanswered},
    {"resets", &BackendState::resets},
    {"timeouts", &BackendState::timeouts},
    {"heals", &BackendState::heals},
    {"heal_moves", &BackendState::heal_moves},
    {"heals_succeeded", &BackendState::heals_succeeded},
    {"heals_failed", &BackendState::heals_failed},
    {"timestamps_kept", &BackendState::timestamps_kept},
    {"timestamps_refused", &BackendState::timestamps_refused}};

std::string text_of(const ServiceKey& key) {
  return std::string(word_of(key.protocol)) + " " + to_string(key.vip);
}
std::string text_of(const BackendKey& key) {
  return text_of(key.service) + " " + to_string(key.address);
}

void add_to(json& sums, std::string_view name, const Counter& counter) {
  if (counter.value() == 0) return;
  json& sum = sums[std::string(name)];
  sum = (sum.is_null() ? 0 : sum.get<uint64_t>()) + counter.value();
}

template <class Owner, size_t kCount>
json sums_of(const Named<Owner> (&counters)[kCount], const std::vector<const Owner*>& owners) {
  json sums = json::object();
  for (const Owner* owner : owners) {
    for (const auto& [name, counter] : counters) add_to(sums, name, owner->*counter);
  }
  return sums;
}

template <class State, size_t kStates>
std::vector<const State*> everywhere(const Identities& identities,
                                     StateTable<State, kStates> Registry::*states, uint32_t id) {
  std::vector<const State*> all;
  for (const Registry* registry : identities.registries()) all.push_back((registry->*states)[id]);
  return all;
}

template <class Owner, size_t kCount>
void add(const Named<Owner> (&counters)[kCount], Owner& owner, const json& sums) {
  for (const auto& [name, counter] : counters) {
    (owner.*counter).add(sums.value(name, uint64_t{0}));
  }
}

const json& part(const json& whole, const std::string& name) {
  static const json kNothing = json::object();
  const auto found = whole.find(name);
  return found == whole.end() || !found->is_object() ? kNothing : *found;
}

}  // namespace

json counters_of(const Workers& workers, const Identities& identities) {
  json all{{"events", json::object()},
           {"drops", json::object()},
           {"services", json::object()},
           {"backends", json::object()}};
  std::vector<const WorkerCounters*> of_workers;
  for (const auto& worker : workers) {
    of_workers.push_back(&worker->counters());
    for (size_t i = 0; i < kEventCount; ++i) {
      add_to(all["events"], kEventTexts[i].name, worker->counters().events[i]);
    }
    for (size_t i = 0; i < net::kDropReasonCount; ++i) {
      add_to(all["drops"], net::kDropReasonTexts[i].name, worker->counters().drops[i]);
    }
  }
  all["workers"] = sums_of(kOfWorkers, of_workers);
  for (const auto& [key, entry] : identities.services()) {
    json sums = sums_of(kOfServices, everywhere(identities, &Registry::services, entry.id));
    if (!sums.empty()) all["services"][text_of(key)] = std::move(sums);
  }
  for (const auto& [key, entry] : identities.backends()) {
    json sums = sums_of(kOfBackends, everywhere(identities, &Registry::backends, entry.id));
    if (!sums.empty()) all["backends"][text_of(key)] = std::move(sums);
  }
  return all;
}

void add_counters(const Workers& workers, const Identities& identities, const json& counters) {
  Worker& first = *workers.front();
  WorkerCounters& own = first.counters_before_launch();
  add(kOfWorkers, own, part(counters, "workers"));
  const json &events = part(counters, "events"), &drops = part(counters, "drops");
  for (size_t i = 0; i < kEventCount; ++i) {
    own.events[i].add(events.value(std::string(kEventTexts[i].name), uint64_t{0}));
  }
  for (size_t i = 0; i < net::kDropReasonCount; ++i) {
    own.drops[i].add(drops.value(std::string(net::kDropReasonTexts[i].name), uint64_t{0}));
  }
  const json &services = part(counters, "services"), &backends = part(counters, "backends");
  for (const auto& [key, entry] : identities.services()) {
    add(kOfServices, *first.registry().services[entry.id], part(services, text_of(key)));
  }
  for (const auto& [key, entry] : identities.backends()) {
    add(kOfBackends, *first.registry().backends[entry.id], part(backends, text_of(key)));
  }
}

}  // namespace sluice::control
