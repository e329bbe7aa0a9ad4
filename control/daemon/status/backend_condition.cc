// SPDX-License-Identifier: BSD-3-Clause
// What speaks against a backend, the most telling first.
#include "control/daemon/status/backend_condition.h"

#include <fmt/format.h>

#include "control/common/human.h"
#include "control/daemon/status/outliers.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string sentence_of_down(const json& row) {
  std::string out = "is down";
  const json since = row.value("health_since_s", json());
  if (since.is_number() && since >= 1) out += " for " + human_ms(1000 * since.get<double>());
  const std::string reason = row.value("health_reason", "");
  return reason.empty() ? out : out + ": " + reason;
}

// The file's own weight 0 is as it is meant to be; what an operator has put over it is easily
// forgotten.
Condition condition_of_draining(const json& row) {
  const json over = row.value("override", json());
  if (!over.is_string()) {
    return {Severity::kOk, "draining", "takes no new connections: its weight is 0 in the file", ""};
  }
  return {Severity::kWarning, "draining",
          fmt::format("takes no new connections: {} by hand", over.get<std::string>()),
          fmt::format("sluicectl backend clear {} {}", row.value("service", "?"),
                      row.value("address", "?"))};
}

}  // namespace

Condition condition_of(const json& row) {
  const std::string state = row.value("state", "");
  const double refused = row.value("refused_recent", 0.0);
  if (state == "removed") {
    return {Severity::kOk, "removed", "is not configured any more; its connections run on", ""};
  }
  if (state == "down") {
    return {Severity::kWarning, "down by hand", "was taken down by hand",
            fmt::format("sluicectl backend set {} {} --up", row.value("service", "?"),
                        row.value("address", "?"))};
  }
  if (state == "draining") return condition_of_draining(row);
  const json health = row.value("health", json());
  if (health == "down") {
    if (state == "up") {
      return {Severity::kWarning, "up by hand",
              "is up by hand, and by its health check it " + sentence_of_down(row),
              fmt::format("look at the backend, or: sluicectl backend clear {} {}",
                          row.value("service", "?"), row.value("address", "?"))};
    }
    return {Severity::kCritical, "down", sentence_of_down(row), "look at the backend"};
  }
  if (state == "unhealthy") {
    return {Severity::kWarning, "unchecked", "has joined and waits for its first check", ""};
  }
  if (const std::string check_error = row.value("health_hindrance", ""); !check_error.empty()) {
    return {Severity::kWarning, "unchecked", "cannot be checked: " + check_error,
            "see docs/operations.md, health checks"};
  }
  if (refused > 0) {
    const bool most = 2 * refused > row.value("connections_recent", 0.0);
    return {most ? Severity::kCritical : Severity::kWarning, "refuses",
            fmt::format("refuses connections (RST): {} lately", human_count(refused)),
            "nothing listens on its port, or its queue is full: look there, or drain it"};
  }
  if (row.value("heals_failed_recent", 0.0) > 0) {
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
  if (health == "starting") {
    return {Severity::kOk, "starting",
            fmt::format("starts slowly: {} % of its share", row.value("share_percent", 0)), ""};
  }
  return {Severity::kOk, state, "takes new connections", ""};
}

}  // namespace sluice::control
