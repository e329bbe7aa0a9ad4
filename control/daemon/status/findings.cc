// SPDX-License-Identifier: BSD-3-Clause
// The rules by which a status is judged.
#include "control/daemon/status/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "control/common/human.h"
#include "control/daemon/status/backend_condition.h"
#include "control/daemon/status/bounds.h"
#include "control/daemon/status/interface_findings.h"

namespace sluice::control {
namespace {

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
    {"nd_bad", Severity::kWarning, "a broken or forged sender on the link: tcpdump -e icmp6"},
    {"kernel_queue_full", Severity::kWarning,
     "a flood to an interface's own address: tcpdump -ni its `kernel` tap"},
    {"ipv4_checksum_bad", Severity::kWarning, "at a veth's other end: ethtool -K IFACE tx off"},
    {"tcp_checksum_bad", Severity::kWarning, "at a veth's other end: ethtool -K IFACE tx off"},
    {"udp_checksum_bad", Severity::kWarning, "at a veth's other end: ethtool -K IFACE tx off"},
    {"service_full", Severity::kWarning,
     "more backends and a larger max_connections in [service.guard]; who has them: show flows"},
    {"service_rate", Severity::kWarning,
     "a larger max_new_per_second in [service.guard]; from where they come: show refusals"},
    {"backends_full", Severity::kWarning,
     "more backends, or a larger max_connections for those that can bear it"},
    {"fragment_evicted", Severity::kWarning,
     "a flood of fragments, or raise limits.fragments_per_worker and restart"},
    {"fragments_limited", Severity::kWarning,
     "a flood of fragments: tcpdump -ni any ip[6:2] \\& 0x3fff != 0"},
    {"fragment_overlap", Severity::kWarning,
     "nobody overlaps fragments without meaning harm: find the sender"},
    {"fragments_too_many", Severity::kWarning,
     "datagrams in more than eight fragments: a larger MTU on their way, or smaller datagrams"},
    {"no_backend", Severity::kCritical, "bring a backend up, or give one a weight"},
    {"ports_exhausted", Severity::kCritical, "add addresses to the [[local_pool]]"},
    {"flow_table_full", Severity::kCritical, "raise limits.flows_per_worker and restart"},
    {"heal_exhausted", Severity::kWarning, "find out what answers in the backend's name"},
    {"no_route", Severity::kCritical, "add a [[route]] to the destination"},
    {"neighbour_table_full", Severity::kCritical, "raise limits.neighbours_per_worker and restart"},
    {"neighbour_queue_full", Severity::kWarning, "see sluicectl doctor: arp, nd"},
    {"neighbour_asks_limited", Severity::kWarning,
     "SYNs from many addresses of a link's own network that nobody has: a flood from there"},
    {"ipv4_source_misplaced", Severity::kWarning,
     "somebody on the clients' side forges a backend's address, or a route is wrong"},
    {"ipv6_source_misplaced", Severity::kWarning,
     "somebody on the clients' side forges a backend's address, or a route is wrong"},
    {"neighbour_unreachable", Severity::kCritical,
     "a backend or gateway does not answer ARP or neighbour discovery: see sluicectl doctor"},
    {"tx_full", Severity::kWarning,
     "the link is full; net_af_packet: a larger framecnt= in device"},
    {"mbuf_exhausted", Severity::kCritical, "raise eal.memory_mb and restart"},
};

constexpr TroubleDrop kTroubleEvents[] = {
    {"port_memory_missed", Severity::kWarning, "raise limits.port_memory_mb and reload"},
    {"clients_not_counted", Severity::kWarning,
     "raise limits.clients_per_worker and restart, or count larger networks as one client"},
    {"arp_conflicts", Severity::kWarning,
     "two hosts have one address, or one forges it: see the log; pin it: [[interface]] neighbours"},
    {"address_conflicts", Severity::kWarning, "somebody else has an address of ours: see the log"},
};

const TroubleDrop* trouble(std::string_view reason) {
  const auto found = std::ranges::find(kTroubleDrops, reason, &TroubleDrop::reason);
  return found == std::end(kTroubleDrops) ? nullptr : found;
}

constexpr const char* kFine = "ok";  // the condition of what nothing is said of

std::string count(uint64_t value) {
  return human_count(static_cast<double>(value));
}

double percent_used(const WorkerRow& worker) {
  if (worker.flows_max == 0) return 0;
  return 100.0 * static_cast<double>(worker.flows) / static_cast<double>(worker.flows_max);
}

std::string when_it_ends(const OptNumber& seconds, bool soon) {
  if (!seconds || !soon) return "";
  return fmt::format(", none is left in {} at the present rate", human_ms(1000 * *seconds));
}

std::string more_ports(const PoolSumRow& pool) {
  return fmt::format(
      "{}more addresses in [[local_pool]] {} and a reload, or wider `ports` and a restart",
      pool.waits ? "[time_wait] reuse = \"rebase\" and a reload; or " : "", pool.local_pool);
}

std::string more_addresses(const ServiceRow& service) {
  return fmt::format(
      "keep it out upstream; more addresses in [[local_pool]] {} give handshakes more time "
      "(docs/operations.md, SYN floods). If its sources are real: do the backends answer?",
      service.local_pool);
}

class Judge {
 public:
  explicit Judge(Status& status) : status_(status) {}

  void drain() {
    const DrainRow& row = status_.drain;
    if (row.state.empty() || row.state == "off") return;
    const auto for_ms = static_cast<double>(row.for_ms.value_or(0));
    std::string what = fmt::format("the whole balancer has been {} for {}: new connections are {}",
                                   row.remaining == 0 ? "drained" : "draining", human_ms(for_ms),
                                   row.syns == "dropped" ? "dropped" : "refused");
    const uint64_t refused = row.refused.value_or(0);
    if (refused > 0) what += fmt::format(" ({} so far)", count(refused));
    what += fmt::format(", {} go on", count(row.remaining));
    if (row.exit) what += "; sluice stops when none is left";
    add(Severity::kWarning, std::move(what), "sluicectl undrain");
  }

  void program() {
    ProgramRow& row = status_.program;
    begin(row);
    control_thread(row);
    if (row.last_reload_succeeded) return;
    say(row, Severity::kWarning, "reload refused",
        fmt::format("the last reload was refused, the configuration before it is in force: {}",
                    row.last_reload_error),
        "mend the file, then: sluicectl reload; what needs a restart: put it back, or restart");
  }

  void control_thread(ProgramRow& row) {
    if (row.loop_spins) {
      say(row, Severity::kWarning, "woken without end",
          fmt::format("the control thread is woken without end, {} times a second and slowed down, "
                      "by {}",
                      count(row.loop_iterations_per_s), row.loop_busiest),
          "packets flow on; tell us, and restart when it suits");
    } else if (row.loop_busy_percent > kLoopWarningPercent) {
      say(row, Severity::kWarning, "busy",
          fmt::format("the control thread is {:.0f} % busy, most of it with {}",
                      row.loop_busy_percent, row.loop_busiest),
          "see docs/operations.md: the control thread");
    }
  }

  // One finding for a service, whatever its backends have to say about it.
  void services() {
    each("services", status_.services, [this](ServiceRow& row) {
      begin(row);
      if (row.backends_up != 0) return;
      services_without_backend_.insert(row.name);
      const std::string why = why_none(row.name);
      if (row.all_down == "use_all") {
        say(row, Severity::kCritical, "no backend",
            fmt::format("service {}: every backend is down by its health check; all are used as "
                        "they are{}",
                        row.name, why),
            "look at the backends, and at what the check asks for");
        return;
      }
      say(row, Severity::kCritical, "no backend",
          fmt::format("service {}: no backend takes new connections{}", row.name, why),
          "bring a backend up, or give one a weight above 0");
    });
  }

  void floods() {
    each("services", status_.services, [this](ServiceRow& row) {
      if (row.half_open_flood_recent < kFloodWarningRecent) return;
      flood_ = true;
      const bool deferred = row.syns_deferred_recent > 0;
      say(row, Severity::kWarning, "flood",
          fmt::format("half-open flood on {}: {}/s, {} half-open of {} ports{}", row.name,
                      human_count(row.half_open_flood_per_s), count(row.half_open),
                      count(row.ports), deferred ? "; new clients need a second try" : ""),
          more_addresses(row));
    });
  }

  void backends() {
    each("backends", status_.backends, [this](BackendRow& row) {
      const Condition now = condition_of(row);
      row.severity = now.severity;
      row.condition = now.word;
      row.condition_text = now.sentence;
      row.remedy = now.remedy;
      if (now.severity == Severity::kOk) return;
      services_with_unwell_backend_.insert(row.service);
      if (services_without_backend_.contains(row.service)) return;
      add(now.severity, fmt::format("backend {} of {} {}", row.address, row.service, now.sentence),
          now.remedy);
    });
  }

  // What others have said of a service's parts, for its row alone.
  void paint_services() {
    for (ServiceRow& row : status_.services) {
      if (row.refused.recent > 0) {
        paint(row, Severity::kWarning, "refuses", "see the drops for the reason");
      } else if (services_with_unwell_backend_.contains(row.name)) {
        paint(row, Severity::kWarning, "backends", "see its backends");
      }
    }
  }

  void pools() {
    each("pools", status_.pools, [this](PoolSumRow& row) {
      begin(row);
      if (row.exhausted.recent > 0) {
        // Whatever is short of one [[local_pool]] is one finding.
        paint(row, Severity::kCritical, "exhausted", more_ports(row));
        Shortage& shortage = shortages_[row.local_pool];
        shortage.refused += row.exhausted.recent;
        shortage.towards.push_back(row.backend);
        shortage.remedy = row.remedy;
      } else if (row.fullest_percent > kPortsWarningPercent) {
        say(row,
            row.fullest_percent > kPortsCriticalPercent ? Severity::kCritical : Severity::kWarning,
            "full",
            fmt::format("ports towards {}: {:.0f} % of {} are taken (worker {}){}", row.backend,
                        row.fullest_percent, row.fullest_local, row.fullest_worker,
                        when_it_ends(row.ends_in_s, row.ends_soon)),
            more_ports(row));
      } else if (row.ends_soon) {
        paint(row, Severity::kWarning, "ends soon", more_ports(row));
        if (flood_) return;  // which has been said
        add(Severity::kWarning,
            fmt::format("ports towards {}: {} in use and {} in TIME_WAIT of {}{}", row.backend,
                        count(row.in_use), count(row.time_wait), count(row.ports),
                        when_it_ends(row.ends_in_s, row.ends_soon)),
            row.remedy);
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
    each("workers", status_.workers, [this](WorkerRow& row) {
      begin(row);
      if (row.busy_percent > kBusyWarningPercent) {
        say(row, Severity::kWarning, "busy",
            fmt::format("worker on lcore {}: {:.0f} % busy", row.lcore, row.busy_percent),
            flood_ ? "it is the flood that keeps it busy: see there"
                   : "add an lcore to eal.worker_lcores");
      }
      if (!row.cut_off_from.empty()) {
        say(row, Severity::kCritical, "cut off",
            fmt::format(
                "worker on lcore {}: {} does not answer its {}, and does answer other workers",
                row.lcore, row.cut_off_from,
                row.cut_off_from.find(':') == String::npos ? "ARP" : "neighbour discovery"),
            fmt::format("a transmit queue of it may be dead ({}): fewer eal.worker_lcores use "
                        "fewer queues",
                        row.queues));
      }
      flow_entries(row);
    });
    const auto steering = steering_finding(status_.workers);
    if (steering) add(steering->severity, steering->what, steering->remedy);
  }

  void flow_entries(WorkerRow& row) {
    if (!flows_are_short(row)) return;
    constexpr const char* kRemedy = "raise limits.flows_per_worker, or lower tcp_timeouts.closed";
    paint(row, Severity::kWarning, "full", kRemedy);
    const double used = percent_used(row);
    if (flood_ && used <= kFlowsWarningPercent) return;
    add(Severity::kWarning,
        fmt::format("worker on lcore {}: {:.0f} % of its flow entries are used{}", row.lcore, used,
                    when_it_ends(row.ends_in_s, row.ends_soon)),
        kRemedy);
  }

  void interfaces() {
    each("interfaces", status_.interfaces, [this](LinkRow& row) {
      begin(row);
      for (const RowFinding& one : interface_findings(row)) {
        say(row, one.severity, one.condition, one.what, one.remedy);
      }
    });
  }

  void drops() {
    each("drops", status_.drops, [this](CounterRow& row) {
      if (!happens(row, kTroubleDrops) || has_been_said(row.name)) return;
      add(row.severity,
          fmt::format("{} dropped lately, {}: {}", count(row.value.recent), row.name, row.help),
          row.remedy);
    });
  }

  void events() {
    each("events", status_.events, [this](CounterRow& row) {
      if (!happens(row, kTroubleEvents)) return;
      add(row.severity,
          fmt::format("{} lately, {}: {}", count(row.value.recent), row.name, row.help),
          row.remedy);
    });
  }

  // Worst first; of the same severity in the order of the rules.
  std::vector<Finding> take() {
    std::ranges::stable_sort(findings_, std::ranges::greater{}, &Finding::severity);
    return std::move(findings_);
  }

 private:
  struct Shortage {
    uint64_t refused = 0;
    std::vector<std::string> towards;
    std::string remedy;
  };

  template <class Row, class Rule>
  void each(const char* name, std::vector<Row>& rows, Rule&& rule) {
    const size_t before = findings_.size();
    for (Row& row : rows) rule(row);
    const size_t found = findings_.size() - before;
    if (found <= kFindingsOfAKind) return;
    const auto begin = findings_.begin() + static_cast<ptrdiff_t>(before);
    std::stable_sort(begin, findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    const Severity worst_left = begin[kFindingsOfAKind].severity;
    findings_.resize(before + kFindingsOfAKind);
    add(worst_left, fmt::format("and {} more {}", found - kFindingsOfAKind, name), "");
  }

  // What keeps the backends of each service from new connections, and how many of them.
  void count_reasons() {
    for (const BackendRow& row : status_.backends) {
      const Condition now = condition_of(row);
      if (now.word == "up" || now.word == "removed") continue;
      const std::string reason = now.word == "down" ? row.health_reason : "";
      ++reasons_[row.service][reason.empty() ? now.word : fmt::format("{} ({})", now.word, reason)];
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

  // A finding with a name in it says more than the counter of its drops.
  bool has_been_said(std::string_view reason) const {
    return (reason == "no_backend" && !services_without_backend_.empty()) ||
           (reason == "ports_exhausted" && !shortages_.empty());
  }

  // Lately, and it means something.
  static bool happens(CounterRow& row, std::span<const TroubleDrop> troubles) {
    const auto known = std::ranges::find(troubles, row.name, &TroubleDrop::reason);
    const bool happens = known != troubles.end() && row.value.recent > 0;
    row.severity = happens ? known->severity : Severity::kOk;
    row.remedy = happens ? known->remedy : "";
    return happens;
  }

  template <class Row>
  static void begin(Row& row) {
    row.severity = Severity::kOk;
    row.condition = kFine;
    row.remedy.clear();
  }
  // The worst that is said of a row is what it shows; of two that are as bad, the first.
  template <class Row>
  static void paint(Row& row, Severity severity, const char* condition, std::string remedy) {
    if (severity <= row.severity) return;
    row.severity = severity;
    row.condition = condition;
    row.remedy = std::move(remedy);
  }
  template <class Row>
  void say(Row& row, Severity severity, const char* condition, std::string what,
           std::string remedy) {
    paint(row, severity, condition, remedy);
    add(severity, std::move(what), std::move(remedy));
  }
  void add(Severity severity, std::string what, std::string remedy) {
    findings_.push_back({severity, std::move(what), std::move(remedy)});
  }

  Status& status_;
  std::vector<Finding> findings_;
  bool flood_ = false;
  std::set<std::string> services_without_backend_, services_with_unwell_backend_;
  std::map<std::string, std::map<std::string, size_t>> reasons_;  // by service
  std::map<std::string, Shortage> shortages_;                     // by local pool
};

}  // namespace

bool ports_are_short(const PoolSumRow& pool) {
  return pool.exhausted.recent > 0 || pool.ends_soon || pool.fullest_percent > kPortsWarningPercent;
}

bool flows_are_short(const WorkerRow& worker) {
  return worker.ends_soon || percent_used(worker) > kFlowsWarningPercent;
}

const size_t kTroubleDropCount = std::size(kTroubleDrops);

Severity severity_of_drop(std::string_view reason) {
  const TroubleDrop* known = trouble(reason);
  return known == nullptr ? Severity::kOk : known->severity;
}

std::vector<Finding> judge(Status& status) {
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
  judge.paint_services();
  return judge.take();
}

}  // namespace sluice::control
