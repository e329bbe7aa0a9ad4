// SPDX-License-Identifier: BSD-3-Clause
// What speaks against a backend, the most telling first.
#include "control/daemon/status/backend_condition.h"

#include <fmt/format.h>

#include "control/common/human.h"
#include "control/daemon/status/outliers.h"

namespace sluice::control {
namespace {

std::string sentence_of_down(const BackendRow& row) {
  std::string out = "is down";
  if (const uint64_t since = row.health_since_s.value_or(0); since >= 1) {
    out += " for " + human_ms(1000 * static_cast<double>(since));
  }
  return row.health_reason.empty() ? out : out + ": " + row.health_reason;
}

// "sluicectl backend set web 10.2.0.10:80"
std::string command_for(const char* verb, const BackendRow& row) {
  return fmt::format("sluicectl backend {} {} {}", verb, row.service, row.address);
}

// The file's own weight 0 is as it is meant to be; what an operator has put over it is easily
// forgotten.
Condition condition_of_draining(const BackendRow& row) {
  if (!row.override) {
    return {Severity::kOk, "draining", "takes no new connections: its weight is 0 in the file", ""};
  }
  return {Severity::kWarning, "draining",
          fmt::format("takes no new connections: {} by hand", *row.override),
          command_for("clear", row)};
}

Condition condition_by_health(const BackendRow& row) {
  if (row.state != "up") {
    return {Severity::kCritical, "down", sentence_of_down(row), "look at the backend"};
  }
  return {Severity::kWarning, "up by hand",
          "is up by hand, and by its health check it " + sentence_of_down(row),
          "look at the backend, or: " + command_for("clear", row)};
}

Condition condition_of_refusing(const BackendRow& row) {
  const bool most = 2 * row.refused.recent > row.connections.recent;
  return {most ? Severity::kCritical : Severity::kWarning, "refuses",
          fmt::format("refuses connections (RST): {} lately",
                      human_count(static_cast<double>(row.refused.recent))),
          "nothing listens on its port, or its queue is full: look there, or drain it"};
}

}  // namespace

Condition condition_of(const BackendRow& row) {
  if (row.state == "removed") {
    return {Severity::kOk, "removed", "is not configured any more; its connections run on", ""};
  }
  if (row.state == "down") {
    return {Severity::kWarning, "down by hand", "was taken down by hand",
            command_for("set", row) + " --up"};
  }
  if (row.state == "draining") return condition_of_draining(row);
  if (row.health == "down") return condition_by_health(row);
  if (row.state == "unhealthy") {
    return {Severity::kWarning, "unchecked", "has joined and waits for its first check", ""};
  }
  if (!row.check_error.empty()) {
    return {Severity::kWarning, "unchecked", "cannot be checked: " + row.check_error,
            "see docs/operations.md, health checks"};
  }
  if (row.refused.recent > 0) return condition_of_refusing(row);
  if (row.heals_failed.recent > 0) {
    return {Severity::kWarning, "not healed", "does not let old connections be cleared",
            "see heal_exhausted in docs/counters.md"};
  }
  if (const std::string slow = slowness_of(row); !slow.empty()) {
    return {Severity::kWarning, "slow", slow,
            "look at its load and at the path to it; until then give it a lower weight"};
  }
  if (is_silent(row)) {
    return {Severity::kWarning, "silent",
            "takes connections and sends no byte back, unlike the service's other backends",
            "does its process hang? A health check of type \"http\" finds that"};
  }
  if (row.health == "starting") {
    return {Severity::kOk, "starting",
            fmt::format("starts slowly: {} % of its share", row.share_percent), ""};
  }
  return {Severity::kOk, row.state, "takes new connections", ""};
}

}  // namespace sluice::control
