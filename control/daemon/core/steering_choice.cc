// SPDX-License-Identifier: BSD-3-Clause
// Asks every device, the best steering first.
#include "control/daemon/core/steering_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "control/common/errors.h"

namespace sluice::control {
namespace {

using Functions = std::vector<std::optional<RssFunction>>;

// Each tells why not, and is empty when it can be done.

std::string no_rss(const Config& config, const Ports& ports) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (!ports[i].rss()) {
      return fmt::format("interface {}: {}", config.interfaces[i].name, ports[i].no_rss_reason());
    }
  }
  return {};
}

std::vector<IpAddress> one_local_of_each_family(const Config& config) {
  std::map<net::Family, IpAddress> first;
  for (const LocalPoolConfig& pool : config.local_pools) {
    for (const IpAddress& local : pool.addresses) first.emplace(local.family(), local);
  }
  std::vector<IpAddress> locals;
  for (const auto& [family, local] : first) locals.push_back(local);
  return locals;
}

std::string no_rules(const Config& config, const Ports& ports, uint32_t workers) {
  const std::vector<IpAddress> locals = one_local_of_each_family(config);
  for (size_t i = 0; i < ports.size(); ++i) {
    const std::string& name = config.interfaces[i].name;
    if (ports[i].rx_queue_count() < workers) {
      return fmt::format("interface {}: {} rx queues for {} workers", name,
                         ports[i].rx_queue_count(), workers);
    }
    // Answers of a family that the device has no rules for are handed off.
    std::string refusal;
    const auto takes = [&](const IpAddress& local) {
      refusal = FlowRules(ports[i].id(), workers).refusal(local);
      return refusal.empty();
    };
    if (std::ranges::none_of(locals, takes)) return fmt::format("interface {}: {}", name, refusal);
  }
  return {};
}

}  // namespace

SteeringPlan choose_steering(const Config& config, const Ports& ports, const net::SipKey& secret) {
  const auto workers = static_cast<uint32_t>(config.eal.worker_lcores.size());
  SteeringPlan plan;
  Functions functions;
  for (size_t i = 0; i < ports.size(); ++i) functions.push_back(ports[i].rss());
  const auto take = [&](SteeringKind kind) {
    plan.steering = std::make_unique<Steering>(kind, workers, std::move(functions), secret);
    return std::move(plan);
  };
  if (workers == 1) return take(SteeringKind::kAlone);

  const SteeringChoice choice = config.eal.steering;
  const auto refuse_or_pass = [&](SteeringChoice asked, const std::string& reason) {
    if (choice == asked) {
      throw StartError(fmt::format("eal.steering: \"{}\" is not possible: {}; choose \"auto\"",
                                   to_string(asked), reason));
    }
    plan.passed_over +=
        fmt::format("{}{}: {}", plan.passed_over.empty() ? "" : "; ", to_string(asked), reason);
  };
  if (choice == SteeringChoice::kAuto || choice == SteeringChoice::kRss) {
    const std::string reason = no_rss(config, ports);
    if (reason.empty()) return take(SteeringKind::kRss);
    refuse_or_pass(SteeringChoice::kRss, reason);
  }
  if (choice == SteeringChoice::kAuto || choice == SteeringChoice::kRteFlow) {
    const std::string reason = no_rules(config, ports, workers);
    if (reason.empty()) {
      for (const Port& port : ports.devices()) plan.rules.emplace_back(port.id(), workers);
      return take(SteeringKind::kRteFlow);
    }
    refuse_or_pass(SteeringChoice::kRteFlow, reason);
  }
  return take(SteeringKind::kHandoff);
}

}  // namespace sluice::control
