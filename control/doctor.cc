// SPDX-License-Identifier: BSD-3-Clause
// The running part of `sluicectl doctor`.
#include "control/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "control/ctl_table.h"
#include "control/rates.h"
#include "dataplane/find_neighbours.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using State = Neighbour::State;

// Backends and gateways, each once.
std::vector<net::Ipv4Address> destinations_of(const Balancer& balancer) {
  std::set<net::Ipv4Address> all;
  for (const auto& [key, backend] : balancer.keeper().backends()) {
    if (!backend.removed) all.insert(key.address.ip);
  }
  for (const RouteConfig& route : balancer.config().routes) all.insert(route.via);
  return {all.begin(), all.end()};
}

struct Heard {
  FindNeighbours::Answer best;  // of the workers: one that has an answer, else one that asked
  void hear(const FindNeighbours::Answer& answer) {
    const auto rank = [](State state) {
      if (state == State::kReachable || state == State::kProbing) return 3;
      return state == State::kUnreachable ? 2 : state == State::kResolving ? 1 : 0;
    };
    if (rank(answer.state) >= rank(best.state)) best = answer;
  }
};

void judge_neighbour(const Balancer& balancer, const FindNeighbours::Answer& answer,
                     std::vector<Diagnosis>& found) {
  const std::string ip = net::to_string(answer.destination);
  if (!answer.routed) {
    found.push_back(
        {"arp", Level::kBad, ip + ": no interface and no route leads there", "add a [[route]]"});
    return;
  }
  if (answer.state != State::kUnreachable && answer.state != State::kResolving) return;
  const std::string hop =
      answer.next_hop == answer.destination
          ? ip
          : fmt::format("{}, the gateway to {},", net::to_string(answer.next_hop), ip);
  const InterfaceConfig& interface = balancer.config().interfaces[answer.interface];
  found.push_back({"arp", Level::kBad,
                   fmt::format("{} does not answer ARP on interface {}", hop, interface.name),
                   "is it up, in this VLAN, with this address? There: ip -br addr; "
                   "tcpdump -ni IFACE arp"});
}

double per_second(const json& row, const char* field) {
  return row.value(std::string(field) + "_recent", 0.0) / Rates::kRecentSamples;
}

std::string seconds_text(double seconds) {
  return human_ms(1000 * seconds);
}

// `never` and `natural`: a port that the backend closed rests for TIME_WAIT.
void judge_resting(const json& row, const TimeWaitConfig& rules, std::vector<Diagnosis>& found) {
  const double rate = per_second(row, "taken");
  const double ports = row.value("ports", 0.0);
  const double sustained = rules.backend_seconds > 0 ? ports / rules.backend_seconds : 1e12;
  const std::string towards = row.value("backend", "?");
  if (rate <= sustained) return;
  const double left = row.value("free", 0.0) / rate;
  if (rules.reuse == ReusePolicy::kRebase) {
    found.push_back(
        {"ports", Level::kOk,
         fmt::format("towards {}: {} ports, {:.0f} taken a second: {}; reuses in TIME_WAIT are "
                     "fitted, none is refused",
                     towards, human_count(ports), rate,
                     left > 0 ? fmt::format("rested ports run out in {}", seconds_text(left))
                              : "no port rests for TIME_WAIT"),
         ""});
    return;
  }
  found.push_back(
      {"ports", Level::kBad,
       fmt::format(
           "towards {}: {:.0f} ports taken a second, {} ports bear {:.0f} with reuse = "
           "\"{}\": {}",
           towards, rate, human_count(ports), sustained, to_string(rules.reuse),
           left > 0 ? fmt::format("they run out in {}", seconds_text(left)) : "they have run out"),
       fmt::format("[time_wait] reuse = \"rebase\", or {} times as many addresses in its "
                   "[[local_pool]]",
                   static_cast<int>(rate / sustained) + 1)});
}

// Ports that open connections hold, growing.
void judge_growth(const json& row, std::vector<Diagnosis>& found) {
  constexpr double kHalf = 50;
  constexpr double kSoonSeconds = 3600;
  const double growth = per_second(row, "in_use");
  const double left = row.value("ports", 0.0) - row.value("in_use", 0.0);
  if (growth <= 0 || row.value("fullest_percent", 0.0) < kHalf) return;
  const double seconds = left / growth;
  if (seconds > kSoonSeconds) return;
  found.push_back({"ports", Level::kWarn,
                   fmt::format("towards {}: {} of {} ports are in use, {:.1f} more a second: none "
                               "is left in {}",
                               row.value("backend", "?"), human_count(row.value("in_use", 0.0)),
                               human_count(row.value("ports", 0.0)), growth, seconds_text(seconds)),
                   "add addresses to its [[local_pool]]"});
}

void judge_flow_tables(const json& status, std::vector<Diagnosis>& found) {
  constexpr double kSoonSeconds = 3600;
  for (const json& row : status.value("workers", json::array())) {
    const double growth = per_second(row, "flows");
    const double left = row.value("flows_max", 0.0) - row.value("flows", 0.0);
    if (growth <= 0 || left / growth > kSoonSeconds || left > row.value("flows", 0.0)) continue;
    found.push_back(
        {"flows", Level::kWarn,
         fmt::format("worker on lcore {}: {} of {} flow entries are used, {:.0f} more a "
                     "second: full in {}",
                     row.value("lcore", 0), human_count(row.value("flows", 0.0)),
                     human_count(row.value("flows_max", 0.0)), growth, seconds_text(left / growth)),
         "raise limits.flows_per_worker and restart"});
  }
}

}  // namespace

std::vector<Diagnosis> examine_neighbours(const Balancer& balancer) {
  const auto destinations = destinations_of(balancer);
  std::vector<Heard> heard(destinations.size());
  for (const auto& worker : balancer.workers()) {
    FindNeighbours errand(destinations);
    if (!worker->run(errand)) continue;
    for (size_t i = 0; i < heard.size(); ++i) heard[i].hear(errand.answers()[i]);
  }
  std::vector<Diagnosis> found;
  size_t known = 0;
  for (const Heard& one : heard) {
    judge_neighbour(balancer, one.best, found);
    known += one.best.state == State::kReachable || one.best.state == State::kProbing ? 1 : 0;
  }
  if (found.empty()) {
    found.push_back({"arp", Level::kOk,
                     fmt::format("{} of {} backends and gateways have answered, no one is silent",
                                 known, heard.size()),
                     ""});
  }
  return found;
}

std::vector<Diagnosis> examine_timestamps(const json& status) {
  std::vector<Diagnosis> found;
  double with = 0;
  for (const json& row : status.value("backends", json::array())) {
    const double kept = row.value("timestamps_kept", 0.0);
    const double refused = row.value("timestamps_refused", 0.0);
    with += kept;
    if (refused == 0) continue;
    found.push_back({"timestamps", Level::kWarn,
                     fmt::format("backend {} of {}: {} of {} SYN-ACKs refuse the client's "
                                 "timestamps: reuse in TIME_WAIT rests on sequence numbers alone",
                                 row.value("address", "?"), row.value("service", "?"),
                                 human_count(refused), human_count(kept + refused)),
                     "there: sysctl -w net.ipv4.tcp_timestamps=1"});
  }
  if (found.empty()) {
    found.push_back({"timestamps", Level::kOk,
                     with == 0 ? "no SYN-ACK seen yet that could say"
                               : fmt::format("all {} SYN-ACKs that could keep timestamps do",
                                             human_count(with)),
                     ""});
  }
  return found;
}

std::vector<Diagnosis> examine_capacity(const json& status, const TimeWaitConfig& rules) {
  std::vector<Diagnosis> found;
  for (const json& row : status.value("pools", json::array())) {
    judge_resting(row, rules, found);
    judge_growth(row, found);
  }
  judge_flow_tables(status, found);
  if (found.empty()) {
    found.push_back(
        {"ports", Level::kOk, "ports and flow entries bear the rate of the last 10 s", ""});
  }
  return found;
}

json diagnose(const Balancer& balancer, const json& status) {
  json rows = json::array();
  if (status.contains("verdict")) {
    for (const json& finding : status["verdict"]["findings"]) {
      rows.push_back(finding);
      rows.back()["area"] = "status";
    }
  }
  for (const auto& part : {examine_neighbours(balancer), examine_timestamps(status),
                           examine_capacity(status, balancer.config().time_wait)}) {
    for (const Diagnosis& item : part) rows.push_back(to_json_row(item));
  }
  return rows;
}

}  // namespace sluice::control
