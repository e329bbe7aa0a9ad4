// SPDX-License-Identifier: BSD-3-Clause
// The rules by which a status is judged.
#include "control/daemon/status/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "control/common/api_answer.h"
#include "control/common/human.h"
#include "control/daemon/status/backend_condition.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr double kPoolWarnPercent = 80;
constexpr double kPoolBadPercent = 95;
constexpr double kWorkerWarnPercent = 90;
constexpr double kFlowsWarnPercent = 90;
constexpr double kLoopWarnPercent = 90;
constexpr double kFloodWarnRecent = 20;  // handshakes evicted or deferred lately
constexpr double kUnsentMin = 16;        // packets
constexpr double kUnsentPercent = 1;
constexpr double kUnsentBadPercent = 10;
constexpr size_t kFindingsOfAKind = 8;  // of a thousand dead backends, eight are named

struct TroubleDrop {
  std::string_view reason;
  Severity severity;
  std::string_view remedy;
};

// Only what should never grow: the rest of docs/counters.md is scanners, neighbours and late
// segments.
constexpr TroubleDrop kTroubleDrops[] = {
    {"frame_truncated", Severity::kWarning, "look for a broken sender: capture on the interface"},
    {"frame_segmented", Severity::kWarning,
     "turn off GRO and LRO on the device: ethtool -K IFACE gro off"},
    {"arp_bad", Severity::kWarning, "someone else may have one of our addresses: tcpdump -e arp"},
    {"kernel_queue_full", Severity::kWarning,
     "a flood to an interface's own address: tcpdump -ni its `kernel` tap"},
    {"ipv4_checksum_bad", Severity::kWarning, "at a veth's other end: ethtool -K IFACE tx off"},
    {"tcp_checksum_bad", Severity::kWarning, "at a veth's other end: ethtool -K IFACE tx off"},
    {"no_backend", Severity::kCritical, "bring a backend up, or give one a weight"},
    {"ports_exhausted", Severity::kCritical, "add addresses to the [[local_pool]]"},
    {"flow_table_full", Severity::kCritical, "raise limits.flows_per_worker and restart"},
    {"heal_exhausted", Severity::kWarning, "find out what answers in the backend's name"},
    {"no_route", Severity::kCritical, "add a [[route]] to the destination"},
    {"neighbour_table_full", Severity::kCritical, "raise limits.neighbours_per_worker and restart"},
    {"neighbour_queue_full", Severity::kWarning, "see sluicectl doctor: ARP"},
    {"neighbour_asks_limited", Severity::kWarning,
     "SYNs from many addresses of a link's own network that nobody has: a flood from there"},
    {"ipv4_source_misplaced", Severity::kWarning,
     "somebody on the clients' side forges a backend's address, or a route is wrong"},
    {"neighbour_unreachable", Severity::kCritical,
     "a backend or gateway does not answer ARP: see sluicectl doctor"},
    {"tx_full", Severity::kWarning,
     "the link is full; net_af_packet: a larger framecnt= in device"},
    {"mbuf_exhausted", Severity::kCritical, "raise eal.memory_mb and restart"},
};

constexpr TroubleDrop kTroubleEvents[] = {
    {"port_memory_missed", Severity::kWarning, "raise limits.port_memory_mb and reload"},
    {"arp_conflicts", Severity::kWarning,
     "two hosts have one address, or one forges it: see the log; pin it: [[interface]] neighbours"},
    {"address_conflicts", Severity::kWarning, "somebody else has an address of ours: see the log"},
};

const TroubleDrop* trouble(std::string_view reason) {
  const auto found = std::ranges::find(kTroubleDrops, reason, &TroubleDrop::reason);
  return found == std::end(kTroubleDrops) ? nullptr : found;
}

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

class Judge {
 public:
  explicit Judge(const json& status) : status_(status) {}

  void drain() {
    const json row = status_.value("drain", json::object());
    if (row.value("state", "off") == "off") return;
    std::string what = fmt::format("the whole balancer has been {} for {}: new connections are {}",
                                   row.value("remaining", 0) == 0 ? "drained" : "draining",
                                   human_ms(row.value("for_ms", 0.0)),
                                   row.value("syns", "") == "dropped" ? "dropped" : "refused");
    if (row.value("refused", 0.0) > 0) what += fmt::format(" ({} so far)", count(row["refused"]));
    what += fmt::format(", {} go on", count(row.value("remaining", 0.0)));
    if (row.value("exit", false)) what += "; sluice stops when none is left";
    add(Severity::kWarning, std::move(what), "sluicectl undrain");
  }

  void program() {
    const json row = status_.value("program", json::object());
    control_thread(row);
    if (row.value("last_reload_succeeded", true)) return;
    add(Severity::kWarning,
        fmt::format("the last reload was refused, the configuration before it is in force: {}",
                    text(row, "last_reload_error")),
        "mend the file, then: sluicectl reload; what needs a restart: put it back, or restart");
  }

  void control_thread(const json& row) {
    const double busy = row.value("loop_busy_percent", 0.0);
    if (row.value("loop_spins", false)) {
      add(Severity::kWarning,
          fmt::format("the control thread is woken without end, {} times a second and slowed down, "
                      "by {}",
                      count(row.value("loop_iterations_per_s", 0.0)), text(row, "loop_busiest")),
          "packets flow on; tell us, and restart when it suits");
    } else if (busy > kLoopWarnPercent) {
      add(Severity::kWarning,
          fmt::format("the control thread is {:.0f} % busy, most of it with {}", busy,
                      text(row, "loop_busiest")),
          "see docs/operations.md: the control thread");
    }
  }

  // One finding for a service, whatever its backends have to say about it.
  void services() {
    each("services", [this](const json& row) {
      if (row.at("backends_up") != 0) return;
      services_without_backend_.insert(text(row, "name"));
      const std::string why = why_none(text(row, "name"));
      if (row.value("all_down", json()) == "use_all") {
        add(Severity::kCritical,
            fmt::format("service {}: every backend is down by its health check; all are used as "
                        "they are{}",
                        text(row, "name"), why),
            "look at the backends, and at what the check asks for");
        return;
      }
      add(Severity::kCritical,
          fmt::format("service {}: no backend takes new connections{}", text(row, "name"), why),
          "bring a backend up, or give one a weight above 0");
    });
  }

  void floods() {
    each("services", [this](const json& row) {
      if (row.value("half_open_flood_recent", 0.0) < kFloodWarnRecent) return;
      flood_ = true;
      const bool deferred = row.value("syns_deferred_recent", 0.0) > 0;
      add(Severity::kWarning,
          fmt::format("half-open flood on {}: {}/s, {} half-open of {} ports{}", text(row, "name"),
                      count(row.value("half_open_flood_per_s", 0.0)),
                      count(row.value("half_open", 0.0)), count(row.value("ports", 0.0)),
                      deferred ? "; new clients need a second try" : ""),
          fmt::format("keep it out upstream; more addresses in [[local_pool]] {} give handshakes "
                      "more time (docs/operations.md, SYN floods). If its sources are real: do the "
                      "backends answer?",
                      text(row, "local_pool")));
    });
  }

  void backends() {
    each("backends", [this](const json& row) {
      const Condition now = condition_of(row);
      if (now.severity == Severity::kOk ||
          services_without_backend_.contains(text(row, "service"))) {
        return;
      }
      std::string what = fmt::format("backend {} of {} {}", text(row, "address"),
                                     text(row, "service"), now.sentence);
      add(now.severity, std::move(what), now.remedy);
    });
  }

  void pools() {
    each("pools", [this](const json& row) {
      const double full = row.value("fullest_percent", 0.0);
      if (row.value("exhausted_recent", 0.0) > 0) {
        // Whatever is short of one [[local_pool]] is one finding.
        Shortage& shortage = shortages_[text(row, "local_pool")];
        shortage.refused += row["exhausted_recent"].get<double>();
        shortage.towards.push_back(text(row, "backend"));
        shortage.remedy = more_ports(row);
      } else if (full > kPoolWarnPercent) {
        add(full > kPoolBadPercent ? Severity::kCritical : Severity::kWarning,
            fmt::format("ports towards {}: {:.0f} % of {} are taken (worker {}){}",
                        text(row, "backend"), full, text(row, "fullest_local"),
                        row.value("fullest_worker", 0), when_it_ends(row)),
            more_ports(row));
      } else if (row.value("ends_soon", false) && !flood_) {
        add(Severity::kWarning,
            fmt::format("ports towards {}: {} in use and {} resting of {}{}", text(row, "backend"),
                        count(row.value("in_use", 0.0)), count(row.value("resting", 0.0)),
                        count(row.value("ports", 0.0)), when_it_ends(row)),
            more_ports(row));
      }
    });
    for (const auto& [local_pool, shortage] : shortages_) {
      const size_t others = shortage.towards.size() - 1;
      add(Severity::kCritical,
          fmt::format("local pool {}: no port is left towards {}{}, {} SYNs refused lately",
                      local_pool, shortage.towards.front(),
                      others == 0 ? "" : fmt::format(" and {} more", others),
                      count(shortage.refused)),
          shortage.remedy);
    }
  }

  void workers() {
    each("workers", [this](const json& row) {
      const double busy = row.value("busy_percent", 0.0);
      if (busy > kWorkerWarnPercent) {
        add(Severity::kWarning,
            fmt::format("worker on lcore {}: {:.0f} % busy", row.at("lcore").dump(), busy),
            flood_ ? "it is the flood that keeps it busy: see there"
                   : "add an lcore to eal.worker_lcores");
      }
      if (const std::string from = row.value("cut_off_from", ""); !from.empty()) {
        add(Severity::kCritical,
            fmt::format(
                "worker on lcore {}: {} does not answer its ARP, and does answer other workers",
                row.at("lcore").dump(), from),
            fmt::format(
                "a transmit queue of it may be dead ({}): fewer eal.worker_lcores use fewer "
                "queues",
                text(row, "queues")));
      }
      const double full = percent(row.value("flows", 0.0), row.value("flows_max", 0.0));
      if (flows_are_short(row) && (!flood_ || full > kFlowsWarnPercent)) {
        add(Severity::kWarning,
            fmt::format("worker on lcore {}: {:.0f} % of its flow entries are used{}",
                        row.at("lcore").dump(), full, when_it_ends(row)),
            "raise limits.flows_per_worker, or lower tcp_timeouts.closed");
      }
    });
  }

  void interfaces() {
    each("interfaces", [this](const json& row) {
      if (row.value("link_up", true)) return unsent(row);
      const std::string reason = row.value("link_reason", "");
      add(Severity::kCritical,
          fmt::format("interface {}: no link{}", text(row, "name"),
                      reason.empty() || reason == "no link" ? "" : ": " + reason),
          row.value("link_remedy", "look at the cable and the switch's port"));
    });
  }

  void drops() {
    each("drops", [this](const json& row) {
      const TroubleDrop* known = trouble(row.at("name").get<std::string>());
      const double recent = row.value("value_recent", 0.0);
      if (known == nullptr || recent == 0 || has_been_said(known->reason)) return;
      add(known->severity,
          fmt::format("{} dropped lately, {}: {}", count(recent), text(row, "name"),
                      text(row, "help")),
          std::string(known->remedy));
    });
  }

  void events() {
    each("events", [this](const json& row) {
      const auto known = std::ranges::find(kTroubleEvents, text(row, "name"), &TroubleDrop::reason);
      const double recent = row.value("value_recent", 0.0);
      if (known == std::end(kTroubleEvents) || recent == 0) return;
      add(known->severity,
          fmt::format("{} lately, {}: {}", count(recent), text(row, "name"), text(row, "help")),
          std::string(known->remedy));
    });
  }

  // Worst first; of the same level in the order of the rules.
  std::vector<Finding> take() {
    std::ranges::stable_sort(findings_, std::ranges::greater{}, &Finding::severity);
    return std::move(findings_);
  }

 private:
  void unsent(const json& row) {
    const double lost = row.value("unsent_recent", 0.0), share = row.value("unsent_percent", 0.0);
    if (lost < kUnsentMin || share < kUnsentPercent) return;
    add(share < kUnsentBadPercent ? Severity::kWarning : Severity::kCritical,
        fmt::format(
            "interface {}: the device took {} packets lately that it has not sent ({:.0f} %)",
            text(row, "name"), count(lost), share),
        "a transmit queue may be dead, or the link paused: sluicectl show interfaces --json "
        "(xstats); fewer eal.worker_lcores use fewer queues");
  }

  struct Shortage {
    double refused = 0;
    std::vector<std::string> towards;
    std::string remedy;
  };

  template <class Rule>
  void each(const char* rows, Rule&& rule) {
    const size_t before = findings_.size();
    if (!status_.contains(rows)) return;
    for (const json& row : status_[rows]) rule(row);
    const size_t found = findings_.size() - before;
    if (found <= kFindingsOfAKind) return;
    const auto begin = findings_.begin() + static_cast<ptrdiff_t>(before);
    std::stable_sort(begin, findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    const Severity worst_left = begin[kFindingsOfAKind].severity;
    findings_.resize(before + kFindingsOfAKind);
    add(worst_left, fmt::format("and {} more {}", found - kFindingsOfAKind, rows), "");
  }

  // What keeps the backends of each service from new connections, and how many of them.
  void count_reasons() {
    if (!status_.contains("backends")) return;
    for (const json& row : status_["backends"]) {
      const Condition now = condition_of(row);
      if (now.word == "up" || now.word == "removed") continue;
      const std::string reason = now.word == "down" ? row.value("health_reason", "") : "";
      ++reasons_[text(row, "service")]
                [reason.empty() ? now.word : fmt::format("{} ({})", now.word, reason)];
    }
  }
  // ": 2 down (connect: Connection refused), 1 draining": the most frequent first.
  std::string why_none(const std::string& service) {
    constexpr size_t kReasonsMax = 3;
    if (reasons_.empty()) count_reasons();
    const auto& counts = reasons_[service];
    std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
    std::ranges::stable_sort(sorted, std::ranges::greater{},
                             &std::pair<std::string, size_t>::second);
    std::string out;
    for (size_t i = 0; i < std::min(sorted.size(), kReasonsMax); ++i) {
      out += fmt::format("{} {} {}", i == 0 ? ":" : ",", sorted[i].second, sorted[i].first);
    }
    return out + (sorted.size() > kReasonsMax ? ", ..." : "");
  }

  static std::string when_it_ends(const json& row) {
    const json seconds = row.value("ends_in_s", json());
    if (!seconds.is_number() || !row.value("ends_soon", false)) return "";
    return fmt::format(", none is left in {} at the present rate",
                       human_ms(1000 * seconds.get<double>()));
  }
  static std::string more_ports(const json& pool) {
    return fmt::format(
        "{}more addresses in [[local_pool]] {} and a reload, or wider `ports` and a "
        "restart",
        pool.value("waits", false) ? "[time_wait] reuse = \"rebase\" and a reload; or " : "",
        text(pool, "local_pool"));
  }

  // A finding with a name in it says more than the counter of its drops.
  bool has_been_said(std::string_view reason) const {
    return (reason == "no_backend" && !services_without_backend_.empty()) ||
           (reason == "ports_exhausted" && !shortages_.empty());
  }

  static std::string text(const json& row, const char* key) { return row.value(key, "?"); }
  static std::string count(double value) { return human_count(value); }
  void add(Severity level, std::string what, std::string remedy) {
    findings_.push_back({level, std::move(what), std::move(remedy)});
  }

  const json& status_;
  std::vector<Finding> findings_;
  bool flood_ = false;
  std::set<std::string> services_without_backend_;
  std::map<std::string, std::map<std::string, size_t>> reasons_;  // by service
  std::map<std::string, Shortage> shortages_;                     // by local pool
};

}  // namespace

bool ports_are_short(const json& pool) {
  return number_field(pool, "exhausted_recent") > 0 || flag_field(pool, "ends_soon") ||
         number_field(pool, "fullest_percent") > kPoolWarnPercent;
}

bool flows_are_short(const json& worker) {
  return flag_field(worker, "ends_soon") ||
         percent(number_field(worker, "flows"), number_field(worker, "flows_max")) >
             kFlowsWarnPercent;
}

Severity severity_of_pool(const json& pool) {
  if (number_field(pool, "exhausted_recent") > 0) return Severity::kCritical;
  return ports_are_short(pool) ? Severity::kWarning : Severity::kOk;
}

Severity severity_of_service(const json& service) {
  return number_field(service, "backends_up") == 0 ? Severity::kCritical : Severity::kOk;
}

const size_t kTroubleDropCount = std::size(kTroubleDrops);

Severity severity_of_drop(std::string_view reason) {
  const TroubleDrop* known = trouble(reason);
  return known == nullptr ? Severity::kOk : known->severity;
}

std::vector<Finding> judge(const json& status) {
  Judge judge(status);
  judge.program();
  judge.drain();
  judge.services();
  judge.floods();
  judge.backends();
  judge.interfaces();
  judge.pools();
  judge.drops();
  judge.events();
  judge.workers();
  return judge.take();
}

Severity worst_of(const std::vector<Finding>& findings) {
  return findings.empty() ? Severity::kOk : findings.front().severity;
}

void put_findings(json& status, const std::vector<Finding>& findings) {
  json rows = json::array();
  for (const Finding& finding : findings) rows.push_back(to_json_row(finding));
  const Severity worst = worst_of(findings);
  status["severity"] = to_string(worst);
  status["findings"] = rows;
  status["verdict"] = {{"level", old_word(worst)}, {"findings", rows}};
}

}  // namespace sluice::control
