// SPDX-License-Identifier: BSD-3-Clause
// What a status is judged to be.
#include "control/daemon/status/findings.h"

#include <gtest/gtest.h>

#include "control/common/row_json.h"
#include "control/daemon/status/backend_condition.h"
#include "control/daemon/status/bounds.h"
#include "control/daemon/status/outliers.h"
#include "dataplane/net/verdict.h"

namespace sluice::control {
namespace {

using nlohmann::json;

json healthy() {
  return json::parse(R"({
    "services": [{"name": "web", "backends_up": 2}],
    "backends": [{"service": "web", "address": "10.2.0.10:80", "state": "up"},
                 {"service": "web", "address": "10.2.0.11:80", "state": "draining"}],
    "pools": [{"backend": "10.2.0.10:80", "local_pool": "main", "fullest_percent": 79.0,
               "fullest_local": "10.2.0.1", "fullest_worker": 0, "ports": 60000, "in_use": 30000,
               "time_wait": 1000, "ends_in_s": 130, "ends_soon": false}],
    "drain": {"state": "off", "remaining": 0},
    "program": {"last_reload_succeeded": true, "last_reload_error": ""},
    "workers": [{"lcore": 1, "busy_percent": 89.0, "flows": 10, "flows_max": 100}],
    "interfaces": [{"name": "client", "link_up": true}],
    "drops": [{"name": "no_service", "help": "scanners", "value_recent": 1000}]})");
}

std::vector<Finding> judge(const json& status) {
  Status rows = status_of(status);
  return judge(rows);
}

BackendRow backend_of(const json& row) {
  return row_of<BackendRow>(row).row;
}

std::string first(const json& status) {
  const auto findings = judge(status);
  return findings.empty()
             ? ""
             : std::string(to_string(findings.front().severity)) + ": " + findings.front().what;
}

TEST(Findings, AControlThreadThatSpins) {
  json status = healthy();
  status["program"]["loop_busiest"] = "a tap";
  status["program"]["loop_iterations_per_s"] = 900;
  status["program"]["loop_busy_percent"] = 95.0;
  EXPECT_EQ(first(status), "warning: the control thread is 95 % busy, most of it with a tap");
  status["program"]["loop_spins"] = true;
  EXPECT_EQ(
      first(status),
      "warning: the control thread is woken without end, 900 times a second and slowed down, by a "
      "tap");
}

TEST(Findings, AllIsWell) {
  EXPECT_EQ(first(healthy()), "");
  json status;
  put_findings(status, {});
  EXPECT_EQ(status.dump(),
            R"({"findings":[],"severity":"ok","verdict":{"findings":[],"level":"ok"}})");
}

struct Fault {
  const char* where;
  json value;
  const char* said;
};

void expect_named(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    json status = healthy();
    status[json::json_pointer(fault.where)] = fault.value;
    EXPECT_EQ(first(status), fault.said);
  }
}

TEST(Findings, EachFaultOfABackendOrItsPortsIsNamed) {
  expect_named({
      {"/services/0/backends_up", 0,
       "critical: service web: no backend takes new connections: 1 draining"},
      {"/backends/0",
       {{"service", "web"},
        {"address", "10.2.0.10:80"},
        {"state", "unhealthy"},
        {"health", "down"},
        {"health_since_s", 61},
        {"health_reason", "status 503"}},
       "critical: backend 10.2.0.10:80 of web is down for 1m01s: status 503"},
      {"/backends/0/health", "down",
       "warning: backend 10.2.0.10:80 of web is up by hand, and by its health check it is down"},
      {"/backends/0/state", "unhealthy",
       "warning: backend 10.2.0.10:80 of web has joined and waits for its first check"},
      {"/backends/0/check_error", "no tap",
       "warning: backend 10.2.0.10:80 of web cannot be checked: no tap"},
      {"/backends/0/state", "down", "warning: backend 10.2.0.10:80 of web was taken down by hand"},
      {"/backends/0/refused_recent", 7,
       "critical: backend 10.2.0.10:80 of web refuses connections (RST): 7 lately"},
      {"/pools/0/fullest_percent", 81.0,
       "warning: ports towards 10.2.0.10:80: 81 % of 10.2.0.1 are taken (worker 0)"},
      {"/pools/0/fullest_percent", 96.0,
       "critical: ports towards 10.2.0.10:80: 96 % of 10.2.0.1 are taken (worker 0)"},
      {"/pools/0/exhausted_recent", 3,
       "critical: local pool main: no port is left towards 10.2.0.10:80, 3 SYNs refused lately"},
      {"/pools/0/ends_soon", true,
       "warning: ports towards 10.2.0.10:80: 30,000 in use and 1,000 in TIME_WAIT of 60,000, none "
       "is "
       "left "
       "in 2m10s at the present rate"},
  });
}

TEST(Findings, EachFaultOfTheBalancerIsNamed) {
  expect_named({
      {"/drain",
       {{"state", "draining"}, {"remaining", 7}, {"for_ms", 3000}, {"syns", "reset"}},
       "warning: the whole balancer has been draining for 3.0s: new connections are refused, 7 go "
       "on"},
      {"/drain",
       {{"state", "drained"}, {"for_ms", 3000}, {"syns", "dropped"}, {"refused", 2}},
       "warning: the whole balancer has been drained for 3.0s: new connections are dropped (2 so "
       "far), "
       "0 go on"},
      {"/program",
       {{"last_reload_succeeded", false}, {"last_reload_error", "sluice.toml:3: nonsense"}},
       "warning: the last reload was refused, the configuration before it is in force: "
       "sluice.toml:3: nonsense"},
      {"/backends/1/override", "drain",
       "warning: backend 10.2.0.11:80 of web takes no new connections: drain by hand"},
      {"/workers/0/busy_percent", 91.0, "warning: worker on lcore 1: 91 % busy"},
      {"/workers/0/flows", 95, "warning: worker on lcore 1: 95 % of its flow entries are used"},
      {"/interfaces/0/link_up", false, "critical: interface client: no link"},
      {"/interfaces/0",
       {{"name", "client"}, {"link_up", false}, {"link_reason", "eth1 is switched off"}},
       "critical: interface client: no link: eth1 is switched off"},
      {"/interfaces/0",
       {{"name", "client"}, {"link_up", true}, {"unsent_recent", 4500}, {"unsent_percent", 45.0}},
       "critical: interface client: the device took 4,500 packets lately that it has not sent (45 "
       "%)"},
      {"/interfaces/0",
       {{"name", "client"}, {"link_up", true}, {"unsent_recent", 100}, {"unsent_percent", 2.0}},
       "warning: interface client: the device took 100 packets lately that it has not sent (2 %)"},
      {"/workers/0/cut_off_from", "10.2.0.10",
       "critical: worker on lcore 1: 10.2.0.10 does not answer its ARP, and does answer other "
       "workers"},
      {"/workers/0/cut_off_from", "fd00:2::10",
       "critical: worker on lcore 1: fd00:2::10 does not answer its neighbour discovery, and does "
       "answer other workers"},
      {"/drops/0/name", "tx_full", "warning: 1,000 dropped lately, tx_full: scanners"},
  });
}

TEST(Findings, AFloodIsNamedInPlaceOfWhatItMakesBusy) {
  json status = healthy();
  status["workers"][0]["busy_percent"] = 99.0;
  status["pools"][0]["ends_soon"] = true;
  status["workers"][0]["ends_soon"] = true;
  json& web = status["services"][0];
  web["local_pool"] = "main";
  web["half_open"] = 32256;
  web["ports"] = 64512;
  web["half_open_flood_per_s"] = 20000;
  web["half_open_flood_recent"] = 19;
  EXPECT_EQ(judge(status).size(), 3u) << "a few are no flood";
  web["half_open_flood_recent"] = 200000;
  const auto findings = judge(status);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].what, "half-open flood on web: 20,000/s, 32,256 half-open of 64,512 ports");
  EXPECT_NE(findings[0].remedy.find("[[local_pool]] main"), std::string::npos);
  EXPECT_EQ(findings[1].what, "worker on lcore 1: 99 % busy");
  EXPECT_EQ(findings[1].remedy.find("lcore"), std::string::npos);
  web["syns_deferred_recent"] = 3;
  EXPECT_TRUE(judge(status)[0].what.ends_with("64,512 ports; new clients need a second try"));
}

TEST(Findings, WorstComesFirstAndALongListIsCutShort) {
  json status = healthy();
  status["workers"][0]["busy_percent"] = 99.0;
  const json down = {
      {"service", "web"}, {"address", "10.2.0.1:80"}, {"state", "unhealthy"}, {"health", "down"}};
  for (int i = 0; i < 1000; ++i) status["backends"].push_back(down);
  const auto findings = judge(status);
  ASSERT_EQ(findings.size(), 8u + 1 + 1);
  EXPECT_EQ(findings[8].what, "and 992 more backends");
  EXPECT_EQ(findings[8].severity, Severity::kCritical);
  EXPECT_EQ(findings[9].severity, Severity::kWarning);
}

TEST(Findings, AShortageIsOneFinding) {
  json status = healthy();
  status["pools"][0]["exhausted_recent"] = 3;
  status["pools"].push_back(status["pools"][0]);
  status["pools"][1]["backend"] = "10.2.0.11:80";
  status["drops"] = {{{"name", "ports_exhausted"}, {"help", "no port"}, {"value_recent", 6}}};
  const auto findings = judge(status);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].what,
            "local pool main: no port is left towards 10.2.0.10:80 and 1 more, 6 SYNs refused "
            "lately");
  EXPECT_EQ(findings[0].remedy,
            "more addresses in [[local_pool]] main and a reload, or wider `ports` and a restart");
  status["pools"][0]["waits"] = status["pools"][1]["waits"] = true;
  EXPECT_TRUE(
      judge(status)[0].remedy.starts_with("[time_wait] reuse = \"rebase\" and a reload; or "));
}

TEST(Findings, AServiceWithoutBackendsIsOneFinding) {
  json status = healthy();
  status["services"][0]["backends_up"] = 0;
  status["drops"] = {{{"name", "no_backend"}, {"help", "none"}, {"value_recent", 6}}};
  EXPECT_EQ(judge(status).size(), 1u);
}

TEST(Findings, AServiceWhoseBackendsAreAllDownIsOneFindingWithTheReasons) {
  json status = healthy();
  json down = {{"service", "web"},
               {"address", "10.2.0.10:80"},
               {"state", "unhealthy"},
               {"health", "down"},
               {"health_reason", "connect: Connection refused"}};
  status["backends"] = {down, down};
  down["health_reason"] = "status 503";
  status["backends"].push_back(down);
  status["services"][0]["backends_up"] = 0;
  ASSERT_EQ(judge(status).size(), 1u);
  EXPECT_EQ(first(status),
            "critical: service web: no backend takes new connections: 2 down (connect: Connection "
            "refused), 1 down (status 503)");
  down["service"] = "other";  // one that has others left
  status["backends"].push_back(down);
  EXPECT_EQ(judge(status).size(), 2u);
}

TEST(Findings, AllDownAndAllUsedIsSaidAsSuch) {
  json status = healthy();
  status["services"][0]["backends_up"] = 0;
  status["services"][0]["all_down"] = "use_all";
  EXPECT_EQ(first(status),
            "critical: service web: every backend is down by its health check; all are used as "
            "they are: 1 "
            "draining");
}

TEST(Findings, ABackendThatRefusesAFewOfMany) {
  json row = {{"state", "up"}, {"refused_recent", 1}, {"connections_recent", 100}};
  EXPECT_EQ(condition_of(backend_of(row)).severity, Severity::kWarning);
  row["refused_recent"] = 51;
  EXPECT_EQ(condition_of(backend_of(row)).severity, Severity::kCritical);
}

json three_backends() {
  return json::parse(R"([
    {"service": "web", "address": "10.2.0.10:80", "state": "up", "answered_recent": 50,
     "handshake_p50_ms": 0.4, "check_usual_ms": 3, "bytes_out_recent": 90000,
     "packets_out_recent": 400},
    {"service": "web", "address": "10.2.0.11:80", "state": "up", "answered_recent": 50,
     "handshake_p50_ms": 0.2, "check_usual_ms": null, "bytes_out_recent": 90000,
     "packets_out_recent": 400},
    {"service": "api", "address": "10.2.0.12:80", "state": "up", "answered_recent": 50,
     "handshake_p50_ms": 900.0, "check_usual_ms": 900}])");
}

// Beside each other.
std::vector<BackendRow> backends_of(const json& rows) {
  std::vector<BackendRow> backends = status_of({{"backends", rows}}).backends;
  add_outliers(backends);
  return backends;
}

std::string word_of(const json& rows, size_t i) {
  return condition_of(backends_of(rows)[i]).word;
}

TEST(Outliers, TheSlowOneIsMeasuredByTheOthers) {
  json rows = three_backends();
  const auto condition = [&](size_t i) { return condition_of(backends_of(rows)[i]); };
  const auto said_of = [&](size_t i) { return condition(i).sentence; };
  EXPECT_EQ(said_of(0), "takes new connections");
  EXPECT_EQ(said_of(2), "takes new connections");  // with nobody to be measured by
  rows[1]["handshake_p50_ms"] = 52.0;
  EXPECT_EQ(said_of(1), "needs 52ms for a handshake, the other backends 0.40ms");
  EXPECT_EQ(said_of(0), "takes new connections");
  EXPECT_EQ(condition(1).severity, Severity::kWarning);
  rows[1]["answered_recent"] = 9;
  EXPECT_EQ(said_of(1), "takes new connections");
  rows[1]["check_usual_ms"] = 700;
  EXPECT_EQ(said_of(1), "needs 700ms for a health check, the other backends 3.00ms");
}

TEST(Outliers, TheMedianOfTheOthers) {
  json rows = json::array();
  for (const double ms : {5, 1, 9, 3, 1}) {
    rows.push_back({{"service", "web"}, {"handshake_p50_ms", ms}});
  }
  const auto backends = backends_of(rows);
  EXPECT_EQ(backends[0].handshake_others_ms, 1);  // 1 1 3 9
  EXPECT_EQ(backends[1].handshake_others_ms, 3);  // 1 3 5 9
  EXPECT_EQ(backends[2].handshake_others_ms, 1);  // 1 1 3 5
  EXPECT_EQ(backends[3].handshake_others_ms, 1);  // 1 1 5 9
  EXPECT_FALSE(backends[0].check_others_ms);
}

TEST(Outliers, TheSilentOneIsMeasuredByTheOthers) {
  json rows = three_backends();
  rows[1]["bytes_out_recent"] = 400 * 56;
  rows[1].update({{"bytes_in_recent", 400 * 56}, {"packets_in_recent", 400}});
  EXPECT_EQ(word_of(rows, 1), "up");  // a monitor that connects and says nothing
  rows[1]["bytes_in_recent"] = 400 * 61;
  EXPECT_EQ(word_of(rows, 1), "silent");
  EXPECT_EQ(word_of(rows, 0), "up");
  rows[0]["bytes_out_recent"] = 400 * 56;  // a service whose backends only listen
  EXPECT_EQ(word_of(rows, 1), "up");
}

// What one row says, wherever it is painted.
std::string painted(const json& status, const char* where) {
  Status rows = status_of(status);
  judge(rows);
  const json all = json_of(rows);
  const json& row = all.at(json::json_pointer(where));
  return row.at("severity").get<std::string>() + " " + row.at("condition").get<std::string>();
}

struct Painted {
  const char* where;
  const char* field;
  json value;
  const char* said;
};

TEST(Findings, EachRowSaysHowBadItIs) {
  const Painted kRows[] = {
      {"/workers/0", "busy_percent", kBusyWarningPercent, "ok ok"},
      {"/workers/0", "busy_percent", kBusyWarningPercent + 1, "warning busy"},
      {"/workers/0", "flows", 91, "warning full"},
      {"/workers/0", "ends_soon", true, "warning full"},
      {"/workers/0", "cut_off_from", "10.2.0.10", "critical cut off"},
      {"/pools/0", "fullest_percent", kPortsWarningPercent, "ok ok"},
      {"/pools/0", "fullest_percent", kPortsWarningPercent + 1, "warning full"},
      {"/pools/0", "fullest_percent", kPortsCriticalPercent + 1, "critical full"},
      {"/pools/0", "ends_soon", true, "warning ends soon"},
      {"/pools/0", "exhausted_recent", 1, "critical exhausted"},
      {"/interfaces/0", "link_up", false, "critical no link"},
      {"/services/0", "backends_up", 0, "critical no backend"},
      {"/services/0", "half_open_flood_recent", kFloodWarningRecent, "warning flood"},
      {"/services/0", "refused_recent", 1, "warning refuses"},
      {"/program", "loop_spins", true, "warning woken without end"},
      {"/program", "last_reload_succeeded", false, "warning reload refused"},
  };
  for (const Painted& row : kRows) {
    json status = healthy();
    status[json::json_pointer(row.where)][row.field] = row.value;
    EXPECT_EQ(painted(status, row.where), row.said) << row.where << " " << row.field;
  }
  json status = healthy();
  status["backends"][0]["refused_recent"] = 1;
  EXPECT_EQ(painted(status, "/backends/0"), "critical refuses");
  EXPECT_EQ(painted(status, "/services/0"), "warning backends") << "one of its backends is unwell";
}

TEST(Findings, TroubleIsKnownByNamesThatExist) {
  size_t trouble = 0;
  for (const net::CounterText& text : net::kDropReasonTexts) {
    if (severity_of_drop(text.name) != Severity::kOk) ++trouble;
  }
  EXPECT_EQ(trouble, kTroubleDropCount);
}

}  // namespace
}  // namespace sluice::control
