// SPDX-License-Identifier: BSD-3-Clause
// The words of the configuration's enumerations.
#include "control/config/config.h"

#include <stdexcept>

namespace sluice::control {

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

std::string_view to_string(ReusePolicy policy) {
  switch (policy) {
    case ReusePolicy::kNever:
      return "never";
    case ReusePolicy::kNatural:
      return "natural";
    case ReusePolicy::kRebase:
      return "rebase";
  }
  return "?";
}

std::string_view to_string(Protocol) {
  return "tcp";
}

std::string_view to_string(SteeringChoice choice) {
  switch (choice) {
    case SteeringChoice::kAuto:
      return "auto";
    case SteeringChoice::kRss:
      return "rss";
    case SteeringChoice::kRteFlow:
      return "rte_flow";
    case SteeringChoice::kHandoff:
      return "handoff";
  }
  return "?";
}

std::string_view to_string(SchedulerKind scheduler) {
  switch (scheduler) {
    case SchedulerKind::kRoundRobin:
      return "round_robin";
    case SchedulerKind::kLeastConnections:
      return "least_connections";
    case SchedulerKind::kSourceHash:
      return "source_hash";
  }
  return "?";
}

std::string_view to_string(TimestampPolicy policy) {
  return policy == TimestampPolicy::kPreserve ? "preserve" : "rewrite";
}

std::string_view to_string(OnRefusal refusal) {
  return refusal == OnRefusal::kReset ? "reset" : "drop";
}

std::string_view to_string(FlowIndexKind index) {
  return index == FlowIndexKind::kRteHash ? "rte_hash" : "compact";
}

std::string_view to_string(CheckType type) {
  switch (type) {
    case CheckType::kTcp:
      return "tcp";
    case CheckType::kHttp:
      return "http";
    case CheckType::kHttps:
      return "https";
    case CheckType::kCommand:
      return "command";
  }
  return "?";
}

std::string_view to_string(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kHead:
      return "HEAD";
    case HttpMethod::kOptions:
      return "OPTIONS";
  }
  return "?";
}

std::string_view to_string(OnDown on_down) {
  return on_down == OnDown::kKeep ? "keep" : "reset";
}

std::string_view to_string(AllDown all_down) {
  return all_down == AllDown::kRefuse ? "refuse" : "use_all";
}

std::optional<std::string> kernel_interface_of(const std::string& device) {
  constexpr std::string_view kKey = ",iface=";
  const size_t begin = device.find(kKey);
  if (begin == std::string::npos) return std::nullopt;
  const size_t start = begin + kKey.size();
  return device.substr(start, device.find(',', start) - start);
}

const LocalPoolConfig& local_pool_of(const Config& config, const ServiceConfig& service) {
  for (const LocalPoolConfig& pool : config.local_pools) {
    if (pool.name == service.local_pool) return pool;
  }
  throw std::logic_error("a service names a local_pool that the check let pass");
}

}  // namespace sluice::control
