// SPDX-License-Identifier: BSD-3-Clause
// The rules by which a status is judged.
#include "control/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/ctl_table.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr double kPoolWarnPercent = 80;
constexpr double kPoolBadPercent = 95;
constexpr double kWorkerWarnPercent = 90;
constexpr double kFlowsWarnPercent = 90;
constexpr size_t kFindingsOfAKind = 8;  // of a thousand dead backends, eight are named

struct TroubleDrop {
  std::string_view reason;
  Level level;
  std::string_view mend;
};

// Only what should never grow: the rest of docs/counters.md is scanners, neighbours and late
// segments. no_backend and ports_exhausted have findings of their own, with names.
constexpr TroubleDrop kTroubleDrops[] = {
    {"frame_truncated", Level::kWarn, "look for a broken sender: capture on the interface"},
    {"frame_segmented", Level::kWarn,
     "turn off GRO and LRO on the device: ethtool -K IFACE gro off"},
    {"arp_bad", Level::kWarn, "someone else may have one of our addresses: tcpdump -e arp"},
    {"ipv4_checksum_bad", Level::kWarn, "at a veth's other end: ethtool -K IFACE tx off"},
    {"tcp_checksum_bad", Level::kWarn, "at a veth's other end: ethtool -K IFACE tx off"},
    {"no_backend", Level::kBad, "bring a backend up, or give one a weight"},
    {"ports_exhausted", Level::kBad, "add addresses to the [[local_pool]]"},
    {"flow_table_full", Level::kBad, "raise limits.flows_per_worker and restart"},
    {"heal_exhausted", Level::kWarn, "find out what answers in the backend's name"},
    {"no_route", Level::kBad, "add a [[route]] to the destination"},
    {"neighbour_table_full", Level::kBad, "raise limits.neighbours_per_worker and restart"},
    {"neighbour_queue_full", Level::kWarn, "see sluicectl doctor: ARP"},
    {"neighbour_unreachable", Level::kBad,
     "a backend or gateway does not answer ARP: see sluicectl doctor"},
    {"tx_full", Level::kWarn, "the link is full; net_af_packet: a larger framecnt= in device"},
    {"mbuf_exhausted", Level::kBad, "raise eal.memory_mb and restart"},
};

const TroubleDrop* trouble(std::string_view reason) {
  const auto found = std::ranges::find(kTroubleDrops, reason, &TroubleDrop::reason);
  return found == std::end(kTroubleDrops) ? nullptr : found;
}

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

std::string sentence_of_down(const json& row) {
  std::string out = "is down";
  if (row.contains("health_since_s") && row["health_since_s"].is_number()) {
    out += " for " + human_ms(1000 * row["health_since_s"].get<double>());
  }
  const std::string reason = row.value("health_reason", "");
  return reason.empty() ? out : out + ": " + reason;
}

class Judge {
 public:
  explicit Judge(const json& status) : status_(status) {}

  void services() {
    each("services", [this](const json& row) {
      if (row.at("backends_up") != 0) return;
      if (row.value("all_down", json()) == "use_all") {
        add(Level::kBad,
            fmt::format("service {}: every backend is down by its health check; all are used as "
                        "they are",
                        text(row, "name")),
            "look at the backends, and at what the check asks for");
        return;
      }
      add(Level::kBad,
          fmt::format("service {}: no backend takes new connections", text(row, "name")),
          "bring a backend up, or give one a weight above 0");
    });
  }

  void backends() {
    each("backends", [this](const json& row) {
      const Condition now = condition_of(row);
      if (now.level == Level::kOk || row.value("state", "") == "draining") return;
      std::string what = fmt::format("backend {} of {} {}", text(row, "address"),
                                     text(row, "service"), now.sentence);
      add(now.level, std::move(what), now.mend);
    });
  }

  void pools() {
    each("pools", [this](const json& row) {
      const std::string where = fmt::format("ports towards {}", text(row, "backend"));
      const double full = row.value("fullest_percent", 0.0);
      if (row.value("exhausted_recent", 0.0) > 0) {
        add(Level::kBad,
            fmt::format("{}: none left, {} SYNs refused lately", where,
                        count(row["exhausted_recent"])),
            "add addresses to the [[local_pool]]");
      } else if (full > kPoolWarnPercent) {
        add(full > kPoolBadPercent ? Level::kBad : Level::kWarn,
            fmt::format("{}: {:.0f} % of {} are in use (worker {})", where, full,
                        text(row, "fullest_local"), row.value("fullest_worker", 0)),
            "add addresses to the [[local_pool]]");
      }
    });
  }

  void workers() {
    each("workers", [this](const json& row) {
      const double busy = row.value("busy_percent", 0.0);
      if (busy > kWorkerWarnPercent) {
        add(Level::kWarn,
            fmt::format("worker on lcore {}: {:.0f} % busy", row.at("lcore").dump(), busy),
            "add an lcore to eal.worker_lcores");
      }
      const double full = percent(row.value("flows", 0.0), row.value("flows_max", 0.0));
      if (full > kFlowsWarnPercent) {
        add(Level::kWarn,
            fmt::format("worker on lcore {}: {:.0f} % of its flow entries are used",
                        row.at("lcore").dump(), full),
            "raise limits.flows_per_worker, or lower tcp_timeouts.closed");
      }
    });
  }

  void interfaces() {
    each("interfaces", [this](const json& row) {
      if (row.value("link_up", true)) return;
      add(Level::kBad, fmt::format("interface {}: no link", text(row, "name")),
          "look at the cable and the switch's port");
    });
  }

  void drops() {
    each("drops", [this](const json& row) {
      const TroubleDrop* known = trouble(row.at("name").get<std::string>());
      const double recent = row.value("value_recent", 0.0);
      if (known == nullptr || recent == 0) return;
      add(known->level,
          fmt::format("{} dropped lately, {}: {}", count(recent), text(row, "name"),
                      text(row, "help")),
          std::string(known->mend));
    });
  }

  // Worst first; of the same level in the order of the rules.
  std::vector<Finding> take() {
    std::ranges::stable_sort(findings_, std::ranges::greater{}, &Finding::level);
    return std::move(findings_);
  }

 private:
  template <class Rule>
  void each(const char* rows, Rule&& rule) {
    const size_t before = findings_.size();
    if (!status_.contains(rows)) return;
    for (const json& row : status_[rows]) rule(row);
    const size_t found = findings_.size() - before;
    if (found <= kFindingsOfAKind) return;
    const auto begin = findings_.begin() + static_cast<ptrdiff_t>(before);
    std::stable_sort(begin, findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.level > b.level; });
    const Level worst_left = begin[kFindingsOfAKind].level;
    findings_.resize(before + kFindingsOfAKind);
    add(worst_left, fmt::format("and {} more {}", found - kFindingsOfAKind, rows), "");
  }

  static std::string text(const json& row, const char* key) { return row.value(key, "?"); }
  static std::string count(double value) { return human_count(value); }
  void add(Level level, std::string what, std::string mend) {
    findings_.push_back({level, std::move(what), std::move(mend)});
  }

  const json& status_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kOk:
      return "ok";
    case Level::kWarn:
      return "warn";
    case Level::kBad:
      return "bad";
  }
  return "?";
}

const size_t kTroubleDropCount = std::size(kTroubleDrops);

Level level_of_drop(std::string_view reason) {
  const TroubleDrop* known = trouble(reason);
  return known == nullptr ? Level::kOk : known->level;
}

Condition condition_of(const json& row) {
  const std::string state = row.value("state", "");
  const double refused = row.value("refused_recent", 0.0);
  if (state == "removed") {
    return {Level::kOk, "removed", "is not configured any more; its connections run on", ""};
  }
  if (state == "down") {
    return {Level::kWarn, "down by hand", "was taken down by hand",
            fmt::format("sluicectl backend set {} {} --up", row.value("service", "?"),
                        row.value("address", "?"))};
  }
  if (state == "draining") return {Level::kWarn, "draining", "takes no new connections", ""};
  const json health = row.value("health", json());
  if (health == "down") {
    if (state == "up") {
      return {Level::kWarn, "up by hand",
              "is up by hand, and by its health check it " + sentence_of_down(row),
              fmt::format("look at the backend, or: sluicectl backend clear {} {}",
                          row.value("service", "?"), row.value("address", "?"))};
    }
    return {Level::kBad, "down", sentence_of_down(row), "look at the backend"};
  }
  if (state == "unhealthy") {
    return {Level::kWarn, "unchecked", "has joined and waits for its first check", ""};
  }
  if (const std::string hindrance = row.value("health_hindrance", ""); !hindrance.empty()) {
    return {Level::kWarn, "unchecked", "cannot be checked: " + hindrance,
            "see docs/operations.md, health checks"};
  }
  if (refused > 0) {
    const bool most = 2 * refused > row.value("connections_recent", 0.0);
    return {most ? Level::kBad : Level::kWarn, "refuses",
            fmt::format("refuses connections (RST): {} lately", human_count(refused)),
            "nothing listens on its port, or its queue is full: look there, or drain it"};
  }
  if (row.value("heals_failed_recent", 0.0) > 0) {
    return {Level::kWarn, "not healed", "does not let old connections be cleared",
            "see heal_exhausted in docs/counters.md"};
  }
  if (health == "starting") {
    return {Level::kOk, "starting",
            fmt::format("starts slowly: {} % of its share", row.value("share_percent", 0)), ""};
  }
  return {Level::kOk, state, "takes new connections", ""};
}

std::vector<Finding> judge(const json& status) {
  Judge judge(status);
  judge.services();
  judge.backends();
  judge.interfaces();
  judge.pools();
  judge.drops();
  judge.workers();
  return judge.take();
}

json verdict_of(const std::vector<Finding>& findings) {
  json rows = json::array();
  for (const Finding& finding : findings) {
    rows.push_back(
        {{"level", to_string(finding.level)}, {"what", finding.what}, {"mend", finding.mend}});
  }
  const Level worst = findings.empty() ? Level::kOk : findings.front().level;
  return {{"level", to_string(worst)}, {"findings", rows}};
}

}  // namespace sluice::control
