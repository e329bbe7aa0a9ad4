// SPDX-License-Identifier: BSD-3-Clause
// The running part of `sluicectl doctor`.
#include "control/daemon/status/live_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/common/human.h"
#include "control/daemon/core/neighbour_watch.h"
#include "control/daemon/status/bounds.h"
#include "control/daemon/status/findings.h"
#include "control/daemon/status/forecast.h"
#include "control/host/doctor_host.h"
#include "dataplane/worker/find_neighbours.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using State = Neighbour::State;

struct Heard {
  FindNeighbours::Answer best;  // of the workers: one that has an answer, else one that asked
  void hear(const FindNeighbours::Answer& answer) {
    const auto rank = [](State state) {
      if (state >= State::kReachable) return 3;
      return state == State::kUnreachable ? 2 : state == State::kResolving ? 1 : 0;
    };
    if (rank(answer.state) >= rank(best.state)) best = answer;
  }
};

// How a family's neighbours are asked, for people; and for `tcpdump`.
const char* question_to(const IpAddress& ip) {
  return ip.is_v4() ? "ARP" : "neighbour discovery";
}
const char* area_of(const IpAddress& ip) {
  return ip.is_v4() ? "arp" : "nd";
}

void judge_neighbour(const DataplaneManager& dataplane, const FindNeighbours::Answer& answer,
                     std::vector<Diagnosis>& found) {
  const std::string ip = net::to_string(answer.destination);
  if (!answer.routed) {
    found.push_back({area_of(answer.destination), Severity::kCritical,
                     ip + ": no interface and no route leads there", "add a [[route]]"});
    return;
  }
  if (answer.state != State::kUnreachable && answer.state != State::kResolving) return;
  const std::string hop =
      answer.next_hop == answer.destination
          ? ip
          : fmt::format("{}, the gateway to {},", net::to_string(answer.next_hop), ip);
  const InterfaceConfig& interface = dataplane.config().interfaces[answer.interface];
  found.push_back({area_of(answer.next_hop), Severity::kCritical,
                   fmt::format("{} does not answer {} on interface {}", hop,
                               question_to(answer.next_hop), interface.name),
                   fmt::format("is it up, in this VLAN, with this address? There: ip -br addr; "
                               "tcpdump -ni IFACE {}",
                               answer.next_hop.is_v4() ? "arp" : "icmp6")});
}

// "none is left in 2m10s"; empty where that takes more than a day, or never comes.
std::string end_of(const OptNumber& seconds, const char* none_is_left) {
  constexpr double kDaySeconds = 86400;
  if (!seconds || *seconds > kDaySeconds) return "";
  return fmt::format("{} in {}", none_is_left, human_ms(1000 * *seconds));
}

std::string text_of_count(uint64_t count) {
  return human_count(static_cast<double>(count));
}

// `never` and `natural`: a port that the backend closed rests for TIME_WAIT.
void judge_rate(const PoolSumRow& row, const TimeWaitConfig& rules, std::vector<Diagnosis>& found) {
  const double wanted = ports_per_second_wanted(row);
  const double borne = *ports_per_second_borne(row, rules);
  found.push_back(
      {"ports", Severity::kCritical,
       fmt::format(
           "towards {}: {:.0f} ports wanted a second, {} ports bear {:.0f} with reuse = "
           "\"{}\": {}",
           row.backend, wanted, text_of_count(row.ports), borne, to_string(rules.reuse),
           row.exhausted.recent > 0 ? "they have run out" : end_of(row.ends_in_s, "they run out")),
       fmt::format("[time_wait] reuse = \"rebase\", or {} times as many addresses in "
                   "[[local_pool]] {}",
                   static_cast<int>(wanted / borne) + 1, row.local_pool)});
}

void judge_ports(const PoolSumRow& row, const TimeWaitConfig& rules,
                 std::vector<Diagnosis>& found) {
  const double wanted = ports_per_second_wanted(row);
  const auto borne = ports_per_second_borne(row, rules);
  const std::string end = end_of(row.ends_in_s, "none is left");
  // Where clients close first no port rests, and no rate is too high.
  const bool ends = !end.empty() || row.exhausted.recent > 0;
  if (ends && borne && wanted > *borne) return judge_rate(row, rules, found);
  if (end.empty() || ports_are_short(row)) return;
  found.push_back({"ports", Severity::kOk,
                   fmt::format("towards {}: {} of {} ports are taken, {:.1f} more a second: {}",
                               row.backend, text_of_count(row.unavailable.value),
                               text_of_count(row.ports), row.unavailable.trend.value_or(0), end),
                   ""});
}

void judge_flow_table(const WorkerRow& row, std::vector<Diagnosis>& found) {
  const std::string end = end_of(row.ends_in_s, "full");
  if (end.empty() || flows_are_short(row)) return;
  found.push_back(
      {"flows", Severity::kOk,
       fmt::format(
           "worker on lcore {}: {} of {} flow entries hold open flows, {:.0f} more a second: {}",
           row.lcore, text_of_count(row.flows_open.value), text_of_count(row.flows_max),
           row.flows_open.trend.value_or(0), end),
       ""});
}

}  // namespace

std::vector<Diagnosis> examine_neighbours(const DataplaneManager& dataplane) {
  const auto destinations = destinations_of(dataplane);
  std::vector<Heard> heard(destinations.size());
  for (const auto& worker : dataplane.workers()) {
    FindNeighbours call(destinations);
    if (!worker->run(call)) continue;
    for (size_t i = 0; i < heard.size(); ++i) heard[i].hear(call.answers()[i]);
  }
  std::vector<Diagnosis> found;
  size_t known = 0;
  for (const Heard& one : heard) {
    judge_neighbour(dataplane, one.best, found);
    known += one.best.state == State::kReachable || one.best.state == State::kProbing ? 1 : 0;
  }
  if (found.empty()) {
    const bool has_v4 = std::ranges::any_of(destinations, &IpAddress::is_v4);
    found.push_back({has_v4 ? "arp" : "nd", Severity::kOk,
                     fmt::format("{} of {} backends and gateways have answered, no one is silent",
                                 known, heard.size()),
                     ""});
  }
  return found;
}

std::vector<Diagnosis> examine_timestamps(const Status& status) {
  std::vector<Diagnosis> found;
  uint64_t with = 0;
  for (const BackendRow& row : status.backends) {
    with += row.timestamps_kept;
    if (row.timestamps_refused == 0) continue;
    found.push_back({"timestamps", Severity::kWarning,
                     fmt::format("backend {} of {}: {} of {} SYN-ACKs refuse the client's "
                                 "timestamps: reuse in TIME_WAIT rests on sequence numbers alone",
                                 row.address, row.service, text_of_count(row.timestamps_refused),
                                 text_of_count(row.timestamps_kept + row.timestamps_refused)),
                     "there: sysctl -w net.ipv4.tcp_timestamps=1"});
  }
  if (found.empty()) {
    found.push_back({"timestamps", Severity::kOk,
                     with == 0 ? "no SYN-ACK seen yet that could say"
                               : fmt::format("all {} SYN-ACKs that could keep timestamps do",
                                             text_of_count(with)),
                     ""});
  }
  return found;
}

// Whoever shares a worker's CPU has its packets wait.
std::vector<Diagnosis> examine_waits(const Status& status) {
  std::vector<Diagnosis> found;
  for (const WorkerRow& row : status.workers) {
    if (row.waited_percent < kWaitedWarningPercent) continue;
    found.push_back(
        {"cpus", Severity::kWarning,
         fmt::format("worker on lcore {}: others had its CPU for {:.0f} % of the last "
                     "second in which it wanted to run, and its packets waited",
                     row.lcore, row.waited_percent),
         "keep them away (isolcpus=, or CPUAffinity= of others), or choose another lcore"});
  }
  return found;
}

std::vector<Diagnosis> examine_capacity(const Status& status, const TimeWaitConfig& rules) {
  std::vector<Diagnosis> found;
  bool short_of = false;
  for (const PoolSumRow& row : status.pools) {
    judge_ports(row, rules, found);
    short_of = short_of || ports_are_short(row);
  }
  for (const WorkerRow& row : status.workers) {
    judge_flow_table(row, found);
    short_of = short_of || flows_are_short(row);
  }
  if (found.empty() && !short_of) {
    found.push_back(
        {"ports", Severity::kOk, "ports and flow entries bear the rate of the last 10 s", ""});
  }
  return found;
}

json diagnose(const DataplaneManager& dataplane, const Status& status) {
  json rows = json::array();
  for (const Finding& finding : status.findings) {
    rows.push_back(to_json_row(finding));
    rows.back()["area"] = "status";
  }
  const Config& config = dataplane.config();
  std::vector<LinkMtu> mtus;
  for (const PortInfo& port : dataplane.port_infos()) mtus.push_back(port.mtu);
  // The links are judged here: who asks may live in another network namespace.
  for (const auto& part : {examine_neighbours(dataplane), examine_waits(status),
                           examine_timestamps(status), examine_capacity(status, config.time_wait),
                           examine_kernel_interfaces(config), examine_mtus(config, mtus),
                           examine_forwarding(config, dataplane.ingress_drop().problem())}) {
    for (const Diagnosis& item : part) rows.push_back(to_json_row(item));
  }
  return rows;
}

}  // namespace sluice::control
