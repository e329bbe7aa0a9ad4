// SPDX-License-Identifier: BSD-3-Clause
// Compares what runs with what is on disk.
#include "control/cli/restart_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "control/cli/api_client.h"
#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/config/config_load.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct RestartOptions {
  bool plan = false;
};

void declare_restart(CLI::App& app, RestartOptions& options) {
  app.add_flag("--plan", options.plan,
               "says what a restart would keep and lose; `systemctl restart sluice` does it")
      ->required();
}

uint64_t flows_of(const json& row) {
  return row.value("flows", uint64_t{0});
}

const ServiceConfig* service_of(const Config& config, const json& row) {
  const std::string protocol = text_field(row, "protocol"), vip = text_field(row, "vip");
  const auto found = std::ranges::find_if(config.services, [&](const ServiceConfig& service) {
    return word_of(service.protocol) == protocol && to_string(service.vip) == vip;
  });
  return found == config.services.end() ? nullptr : &*found;
}

bool has_backend(const Config& config, const json& row) {
  const ServiceConfig* service = service_of(config, row);
  const std::string address = text_field(row, "backend");
  return service != nullptr &&
         std::ranges::any_of(service->backends, [&](const BackendConfig& backend) {
           return to_string(backend.address) == address;
         });
}

// The ports that a local address has towards a backend, in a service that still has that one.
std::optional<PortRange> ports_of(const Config& config, const json& row) {
  const std::string address = text_field(row, "backend"), local = text_field(row, "local");
  for (const ServiceConfig& service : config.services) {
    if (word_of(service.protocol) != text_field(row, "protocol")) continue;
    const LocalPoolConfig& pool = local_pool_of(config, service);
    const bool has_local = std::ranges::any_of(
        pool.addresses, [&](const IpAddress& ip) { return to_string(ip) == local; });
    if (has_local && std::ranges::any_of(service.backends, [&](const BackendConfig& backend) {
          return to_string(backend.address) == address;
        })) {
      return pool.ports;
    }
  }
  return std::nullopt;
}

// What is found, and how many flows it costs.
class Plan {
 public:
  explicit Plan(uint64_t flows) : flows_(flows) {}

  void lose(uint64_t flows, std::string what) {
    lost_ += flows;
    note("warning", flows, std::move(what));
  }
  void lose_all(std::string what) { lose(flows_ - std::min(flows_, lost_), std::move(what)); }
  void note(const char* severity, uint64_t flows, std::string what) {
    findings_.push_back({{"severity", severity}, {"flows", flows}, {"what", std::move(what)}});
  }
  json take() {
    const uint64_t lost = std::min(lost_, flows_);
    return {{"flows", flows_}, {"kept", flows_ - lost}, {"lost", lost}, {"findings", findings_}};
  }

 private:
  uint64_t flows_;
  uint64_t lost_ = 0;
  json findings_ = json::array();
};

void plan_identities(const json& running, const Config& next, Plan& plan) {
  std::map<std::string, uint64_t> said;  // flows that are lost with their backend, by its address
  for (const json& row : list_field(running, "backends")) {
    if (has_backend(next, row)) continue;
    said[text_field(row, "backend")] += flows_of(row);
    plan.lose(flows_of(row), fmt::format("the file has no backend {} of {} {} any more",
                                         text_field(row, "backend"), text_field(row, "protocol"),
                                         text_field(row, "vip")));
  }
  for (const json& row : list_field(running, "pools")) {
    uint64_t& before = said[text_field(row, "backend")];
    const uint64_t flows = flows_of(row) - std::min(flows_of(row), before);
    before -= flows_of(row) - flows;
    if (flows == 0) continue;
    const auto ports = ports_of(next, row);
    if (!ports) {
      plan.lose(flows, fmt::format("the file does not use {} towards {} any more",
                                   text_field(row, "local"), text_field(row, "backend")));
    } else if (to_string(*ports) != text_field(row, "ports")) {
      plan.note("warning", flows,
                fmt::format("{} has the ports {} then, and {} now: flows on others are lost",
                            text_field(row, "local"), to_string(*ports), text_field(row, "ports")));
    }
  }
}

std::optional<uint64_t> layout_of(const std::string& program) {
  const std::string command = fmt::format("'{}' --state-layout 2>/dev/null", program);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  uint64_t layout = 0;
  if (pipe == nullptr || std::fscanf(pipe.get(), "%lu", &layout) != 1) return std::nullopt;
  return layout;
}

std::string render(const json& plan) {
  std::string out = fmt::format("a restart now keeps {} of {} flows\n", plan.value("kept", 0ull),
                                plan.value("flows", 0ull));
  for (const json& row : list_field(plan, "findings")) {
    out += fmt::format("  flows {:<9} {}\n", flows_of(row), text_field(row, "what"));
  }
  return out;
}

int run_restart(const Session& session, const RestartOptions&) {
  const json running = session.ask({{"command", "restart_plan"}});
  const std::string file = text_field(running, "config_file");
  const LoadedConfig loaded = load_config(file);
  if (!loaded.ok()) {
    throw ApiError(
        fmt::format("a restart would not come up:\n{}", describe(loaded.problems, file)));
  }
  const json plan = plan_restart(running, loaded.config, layout_of(text_field(running, "program")));
  session.print(plan, render(plan));
  return plan.value("lost", uint64_t{0}) == 0 ? kAnswered : kFailed;
}

}  // namespace

json plan_restart(const json& running, const Config& next, std::optional<uint64_t> layout) {
  Plan plan(flows_of(running));
  if (!flag_field(running, "keeps")) {
    plan.lose_all("the running sluice keeps none (state.keep, or its log says why)");
    return plan.take();
  }
  if (!next.state.keep) plan.lose_all("state.keep = false in the file");
  if (layout != running.value("layout", uint64_t{0})) {
    plan.lose_all(layout ? "the program on disk cannot read what this one keeps"
                         : "the program on disk does not say whether it can read it");
  }
  plan_identities(running, next, plan);
  const uint64_t room = uint64_t{next.limits.flows_per_worker} * next.eal.worker_lcores.size();
  if (flows_of(running) > room) {
    plan.lose(flows_of(running) - room, fmt::format("the tables have room for {} then", room));
  }
  if (next.eal.worker_lcores.size() != running.value("workers", uint64_t{0})) {
    plan.note("ok", 0,
              fmt::format("workers {} then, and {} now: flows go to whoever has their "
                          "ports",
                          next.eal.worker_lcores.size(), running.value("workers", uint64_t{0})));
  }
  return plan.take();
}

Command restart_command() {
  return command("restart", "what a restart would keep", declare_restart, run_restart);
}

}  // namespace sluice::control
