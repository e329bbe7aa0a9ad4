// SPDX-License-Identifier: BSD-3-Clause
// The configuration: what ships loads, every mistake is named with its line, all of them at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "control/config/config_keys.h"
#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

const std::string kRoot = SLUICE_SOURCE_ROOT;

std::string read_text(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream(kRoot + "/" + file).rdbuf();
  return out.str();
}

const std::string kTap = "addresses = [\"10.1.255.254/16\"]\nkernel = \"s0\"";

std::string check(const std::string& keys) {
  return "[service.health_check]\n" + keys + "\n";
}

std::string problems_of(const std::string& text) {
  return describe(parse_config(text).problems, "f");
}

TEST(Config, TheShippedFilesLoad) {
  for (const char* file : {"/conf/minimal.toml", "/conf/example.toml", "/conf/dual-stack.toml"}) {
    const LoadedConfig loaded = load_config(kRoot + file);
    EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, file);
    EXPECT_TRUE(loaded.warnings.empty());
  }
}

TEST(Config, TheExampleSaysTheDefaults) {
  const Config example = load_config(kRoot + "/conf/example.toml").config;
  const Config minimal = load_config(kRoot + "/conf/minimal.toml").config;
  EXPECT_EQ(example.eal, minimal.eal);
  EXPECT_EQ(example.limits, minimal.limits);
  EXPECT_EQ(example.time_wait, minimal.time_wait);
  EXPECT_EQ(example.tcp_timeouts, minimal.tcp_timeouts);
  EXPECT_EQ(example.local_pools, minimal.local_pools);
  EXPECT_EQ(example.control.socket, minimal.control.socket);
}

TEST(Config, TheExampleAndTheDocumentHaveEveryKey) {
  const std::string example = read_text("conf/example.toml");
  const std::string document = read_text("docs/configuration.md");
  for (const std::string& name : config_key_names()) {
    const std::string key = name.substr(name.rfind('.') + 1);
    if (name != "service.backend" && name != "service.health_check" && name != "service.guard") {
      const bool is_there = example.find("\n" + key + " = ") != std::string::npos ||
                            example.find("\n# " + key + " = ") != std::string::npos;
      EXPECT_TRUE(is_there) << name;
      EXPECT_NE(document.find("`" + key + "`"), std::string::npos) << name;
    }
  }
}

// "604800" of "an integer 1..604800", "64" of "an array of 1 to 64, each ..."; empty where there is
// none.
std::string maximum_in(const std::string& expected) {
  for (const std::string between : {" to ", ".."}) {
    const size_t at = expected.find(between);
    if (at == expected.npos) continue;
    const size_t begin = at + between.size();
    return expected.substr(begin, expected.find_first_not_of("0123456789", begin) - begin);
  }
  return "";
}

TEST(Config, TheDocumentHasEveryMaximum) {
  const std::string document = read_text("docs/configuration.md");
  for (const KeyText& key : config_key_texts()) {
    const std::string maximum = maximum_in(key.expected);
    if (key.expected.find(" tables [[") != std::string::npos) continue;  // below
    if (maximum.empty() || maximum == "65535") continue;                 // ports: said once
    const std::string table = key.name.substr(0, key.name.rfind('.'));
    const size_t heading = document.find("[" + table + "]");
    const size_t row = document.find("\n| `" + key.name.substr(table.size() + 1) + "` |", heading);
    ASSERT_NE(row, std::string::npos) << key.name;
    const std::string line = document.substr(row + 1, document.find('\n', row + 1) - row);
    EXPECT_NE(line.find(maximum), std::string::npos) << key.name << ": " << maximum;
  }
  for (const auto& [heading, maximum] :
       {std::pair{"## [[interface]]\n\nAt least one, at most ", 16},
        {"## [[route]]\n\nOptional, at most ", 16384},
        {"## [[local_pool]]\n\nAt least one, at most ", 64},
        {"## [[service]]\n\nAt least one, at most ", 1024},
        {"## [[service.backend]]\n\nAt least one for each service, at most ", 1024}}) {
    EXPECT_NE(document.find(heading + std::to_string(maximum)), std::string::npos) << heading;
  }
}

TEST(Config, ValuesArrive) {
  const Config config = load_config(kRoot + "/conf/example.toml").config;
  ASSERT_EQ(config.interfaces.size(), 2u);
  EXPECT_EQ(config.interfaces[1].device, "net_af_packet1,iface=lb-server");
  EXPECT_EQ(to_string(config.routes.at(0).to), "192.0.2.0/24");
  EXPECT_EQ(to_string(config.services.at(0).vip), "10.3.0.1:80");
  EXPECT_EQ(config.services[0].backends.at(0).weight, 2u);
  EXPECT_EQ(to_string(*config.control.metrics_listen), "127.0.0.1:9180");
  EXPECT_EQ(config.eal.worker_lcores, std::vector<uint32_t>{1});
  EXPECT_EQ(local_pool_of(config, config.services[0]).ports.size(), 64512u);
}

TEST(Config, PinnedNeighboursArrive) {
  const Text text{.interface =
                      "addresses = [\"10.1.255.254/16\"]\nneighbours = {\"10.1.0.2\" = "
                      "\"02:00:00:00:00:0B\", \"10.1.0.1\" = \"02:00:00:00:00:0a\"}"};
  EXPECT_EQ(problems_of(text.str()), "");
  const auto pinned = parse_config(text.str()).config.interfaces.at(0).neighbours;
  ASSERT_EQ(pinned.size(), 2u);
  EXPECT_EQ(to_string(pinned[0].ip), "10.1.0.1");
  EXPECT_EQ(to_string(pinned[1].mac), "02:00:00:00:00:0b");
}

TEST(Config, AUdpServiceArrives) {
  const ServiceConfig dns = load_config(kRoot + "/conf/example.toml").config.services.back();
  EXPECT_EQ(dns.protocol, net::Protocol::kUdp);
  EXPECT_EQ(dns.udp_idle, std::chrono::seconds(10));
  EXPECT_TRUE(dns.udp_one_shot);
  EXPECT_EQ(dns.udp_refresh, UdpRefresh::kBoth);
}

TEST(Config, APortMayBeTcpsAndUdps) {
  const std::string second =
      "[[service]]\nname = \"too\"\nvip = \"10.3.0.1:80\"\nprotocol = \"udp\"\n"
      "[[service.backend]]\naddress = \"10.1.0.10:80\"\n";
  EXPECT_EQ(problems_of(Text{.more = second}.str()), "");
  const Text both{.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"", .more = second};
  EXPECT_NE(problems_of(both.str()).find("a second time"), std::string::npos);
}

TEST(Config, TheSmallestTextIsGood) {
  EXPECT_EQ(problems_of(Text{}.str()), "");
}

// One mistake each: the text, and what its one problem has to say.
struct Mistake {
  const char* name;
  Text text;
  std::vector<const char*> says;
};

class OneMistake : public testing::TestWithParam<Mistake> {};

TEST_P(OneMistake, IsNamedAlone) {
  const std::string problems = problems_of(GetParam().text.str());
  EXPECT_EQ(std::ranges::count(problems, '\n'), 1) << problems;
  for (const char* words : GetParam().says) {
    EXPECT_NE(problems.find(words), std::string::npos) << problems << "lacks: " << words;
  }
}

const Mistake kMistakes[] = {
    {"NetworkAsVip",
     {.service = "vip = \"10.1.0.0:80\""},
     {"service.vip: got \"10.1.0.0:80\"", "this is the network address of 10.1.0.0/16"}},
    {"BroadcastAsVip",
     {.service = "vip = \"10.1.255.255:80\""},
     {"service.vip",
      "a host's address: this is the broadcast address of 10.1.0.0/16 on interface a"}},
    {"BroadcastAsLocal",
     {.pool = "addresses = [\"10.1.255.255\"]"},
     {"local_pool.addresses: got \"10.1.255.255\"", "broadcast address"}},
    {"BroadcastAsBackend",
     {.backend = "address = \"10.1.255.255:80\""},
     {"service.backend.address: got \"10.1.255.255:80\"", "broadcast address"}},
    {"NetworkAsGateway",
     {.route = "[[route]]\nto = \"10.9.0.0/16\"\nvia = \"10.1.0.0\""},
     {"route.via: got \"10.1.0.0\"", "network address"}},
    {"PinnedToNoMac",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nneighbours = {\"10.1.0.1\" = \"02:00\"}"},
     {"f:6: interface.neighbours", "of 10.1.0.1: \"xx:xx:xx:xx:xx:xx\""}},
    {"PinnedToAGroup",
     {.interface = "addresses = [\"10.1.255.254/16\"]\n"
                   "neighbours = {\"10.1.0.1\" = \"01:00:5e:00:00:01\"}"},
     {"interface.neighbours", "one station's"}},
    {"PinnedToNobody",
     {.interface = "addresses = [\"10.1.255.254/16\"]\n"
                   "neighbours = {\"10.1\" = \"02:00:00:00:00:01\"}"},
     {"interface.neighbours", "\"10.1\" is no host's address"}},
    {"PinnedElsewhere",
     {.interface = "addresses = [\"10.1.255.254/16\"]\n"
                   "neighbours = {\"10.2.0.1\" = \"02:00:00:00:00:01\"}",
      .pool = "addresses = [\"10.1.7.1\"]"},
     {"interface.neighbours: got \"10.2.0.1\"", "an address on a network of interface a"}},
    {"PinnedOurselves",
     {.interface = "addresses = [\"10.1.255.254/16\"]\n"
                   "neighbours = {\"10.1.255.254\" = \"02:00:00:00:00:01\"}"},
     {"interface.neighbours: got \"10.1.255.254\"", "an address that is not an interface's"}},
    {"WrongType",
     {.top = "[eal]\nmain_lcore = \"0\""},
     {"f:2: eal.main_lcore: got \"0\"", "0..127"}},
    {"SharedWithoutAFile",
     {.top = "[eal]\nhugepages = false\nmulti_process = true"},
     {"f:3: eal.multi_process: got true, expected false where eal.hugepages is false"}},
    {"OutOfRange", {.top = "[eal]\nmemory_mb = 1"}, {"f:2: eal.memory_mb: got 1 ", "64..1048576"}},
    {"Overflow", {.top = "[eal]\nmemory_mb = 99999999999"}, {"got 99999999999"}},
    {"PageOnMetricsPort",
     {.top = "[control]\nmetrics_listen = \"127.0.0.1:1\"\npage_listen = \"127.0.0.1:1\""},
     {"f:3: control.page_listen: got \"127.0.0.1:1\"", "another address or port"}},
    {"UnknownKey", {.top = "[eal]\nmemroy_mb = 64"}, {"\"memroy_mb\"", "expected \"memory_mb\""}},
    {"UnknownTable", {.top = "[nonsense]\na = 1"}, {"f:1: nonsense", "one of eal, control"}},
    {"Boolean", {.top = "[eal]\nhugepages = 1"}, {"true or false"}},
    {"TableAsValue", {.top = "eal = 5"}, {"f:1: eal: got 5", "expected a table"}},
    {"ValueAsTable", {.top = "[eal.memory_mb]"}, {"eal.memory_mb: got a table"}},
    {"NotAnArray", {.top = "[eal]\nargs = \"x\""}, {"an array of 0 to 64"}},
    {"BadElement", {.top = "[eal]\nargs = [\"x\", \"\"]"}, {"eal.args: got \"\""}},
    {"Missing", {.service = ""}, {"service.vip: got nothing", "address:port"}},
    {"BadVip", {.service = "vip = \"10.3.0.1\""}, {"service.vip: got \"10.3.0.1\""}},
    {"VipsPort", {.service = "vip = \"10.3.0.1:65536\""}, {"service.vip", "1..65535"}},
    {"BackendsPort", {.backend = "address = \"10.1.0.9:0\""}, {"backend.address", "1..65535"}},
    {"NoPciAddress",
     {.more = "\n[[interface]]\nname = \"b\"\ndevice = \"0000:3b:00.9\"\naddresses = "
              "[\"10.9.0.1/24\"]"},
     {"interface.device: got \"0000:3b:00.9\"", "0000:3b:00.0"}},
    {"ReadSocketIsTheSocket",
     {.top = "[control]\nsocket = \"/run/s\"\nread_socket = \"/run/s\""},
     {"f:3: control.read_socket", "another path"}},
    {"GroupOfNoSocket",
     {.top = "[control]\nsocket_group = \"ops\""},
     {"f:2: control.socket_group", "a control.read_socket"}},
    {"PagesPort",
     {.top = "[control]\npage_listen = \"127.0.0.1:70000\""},
     {"control.page_listen", "1..65535"}},
    {"Ipv6Vip",
     {.service = "vip = \"[fd00::1]:80\""},
     {"an [[interface]] with an IPv6 address beside it: none has one"}},
    {"MulticastVip", {.service = "vip = \"224.0.0.1:80\""}, {"unicast"}},
    {"LoopbackBackend", {.backend = "address = \"127.0.0.1:80\""}, {"unicast"}},
    {"Maglev",
     {.service = "vip = \"10.3.0.1:80\"\nscheduler = \"maglev\""},
     {"\"maglev\" is not supported by this version"}},
    {"SchedulerTypo",
     {.service = "vip = \"10.3.0.1:80\"\nscheduler = \"roundrobin\""},
     {"the nearest is \"round_robin\""}},
    {"TcpTimestampsOfUdp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\ntcp_timestamps = \"rewrite\""},
     {"tcp_timestamps: got a key of tcp services"}},
    {"MssClampOfUdp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nmss_clamp = true"},
     {"mss_clamp: got a key of tcp services"}},
    {"ResetOnTimeoutOfUdp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nreset_on_timeout = true"},
     {"reset_on_timeout: got a key of tcp services"}},
    {"UdpIdleSecondsOfTcp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"tcp\"\nudp_idle_seconds = 9"},
     {"udp_idle_seconds: got a key of udp services"}},
    {"UdpOneShotOfTcp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"tcp\"\nudp_one_shot = true"},
     {"udp_one_shot: got a key of udp services"}},
    {"UdpRefreshOfTcp",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"tcp\"\nudp_refresh = \"both\""},
     {"udp_refresh: got a key of udp services"}},
    {"UdpNeverIdle",
     {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\"\nudp_idle_seconds = 0"},
     {"udp_idle_seconds: got 0"}},
    {"RelativeFlowLog",
     {.top = "[flow_log]\nfile = \"flows.log\""},
     {"f:2: flow_log.file: got \"flows.log\", expected an absolute path"}},
    {"HealthCheckWithoutAWay",
     {.more = check("type = \"tcp\"")},
     {"f:15: service.health_check.type: got \"tcp\" for 10.1.0.10:80, which is behind interface a",
      "kernel = \"NAME\" in interface a"}},
    {"HealthCheckWithoutAType", {.more = check("rise = 3")}, {"health_check.type: got nothing"}},
    {"HealthCheckType", {.more = check("type = \"https2\"")}, {"the nearest is \"https\""}},
    {"HealthCheckTypo",
     {.more = check("type = \"command\"\ncommand = [\"/bin/true\"]\nrize = 3")},
     {"\"rize\", expected \"rise\""}},
    {"HealthCheckKeyOfAnotherType",
     {.more = check("type = \"command\"\ncommand = [\"/bin/true\"]\npath = \"/x\"")},
     {"f:17: service.health_check.path: got a key of type http or https, expected no such key with "
      "type \"command\""}},
    {"HealthCheckTlsOfAnotherType",
     {.more = check("type = \"command\"\ncommand = [\"/bin/true\"]\ntls_ca = \"/x\"")},
     {"tls_ca: got a key of type https, expected no such key"}},
    {"HealthCheckWithoutACommand",
     {.more = check("type = \"command\"")},
     {"type \"command\" without a command"}},
    {"HealthCheckCommand",
     {.more = check("type = \"command\"\ncommand = [\"true\"]")},
     {"command: got \"true\", expected a program's absolute path"}},
    {"HealthCheckTimeout",
     {.more = check("type = \"command\"\ncommand = [\"/bin/true\"]\ntimeout_ms = 2000")},
     {"f:17: service.health_check.timeout_ms: got a timeout of 2000 ms, expected at most "
      "interval_ms (1000)"}},
    {"HealthCheckInterval",
     {.more = check("type = \"command\"\ncommand = [\"/bin/true\"]\ninterval_ms = 200")},
     {"f:17: service.health_check.interval_ms: got a timeout of 500 ms, expected at most "
      "interval_ms (200)"}},
    {"HealthCheckStatus",
     {.interface = kTap, .more = check("type = \"http\"\nexpect_status = [200, 600]")},
     {"expect_status: got 600", "a range \"200-299\""}},
    {"HealthCheckStatusRange",
     {.interface = kTap, .more = check("type = \"http\"\nexpect_status = [\"300-99\"]")},
     {"expect_status: got \"300-99\""}},
    {"HealthCheckPattern",
     {.interface = kTap, .more = check("type = \"http\"\nbody_matches = \"(a\"")},
     {"body_matches: got \"(a\"", "a regular expression (RE2) (missing ): (a)"}},
    {"HealthCheckPatternWithoutABody",
     {.interface = kTap, .more = check("type = \"http\"\nmethod = \"HEAD\"\nbody_matches = \"a\"")},
     {"no such key with method \"HEAD\""}},
    {"HealthCheckHost",
     {.interface = kTap, .more = check("type = \"http\"\nhost = \"a b\"")},
     {"health_check.host: got \"a b\""}},
    {"HealthCheckPath",
     {.interface = kTap, .more = check("type = \"http\"\npath = \"/a b\"")},
     {"health_check.path: got \"/a b\"", "without blanks"}},
    {"HealthCheckCaWithoutVerify",
     {.interface = kTap, .more = check("type = \"https\"\ntls_ca = \"/a\"")},
     {"tls_ca: got a file to verify by, expected tls_verify = true"}},
    {"KernelName",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"a/b\""},
     {"interface.kernel: got \"a/b\"", "without '/'"}},
    {"KernelNameTooLong",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"sluice0123456789\""},
     {"interface.kernel", "at most 15 bytes"}},
    {"KernelTwice",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"s0\"\n[[interface]]\nname = "
                   "\"b\"\ndevice = \"net_null1\"\naddresses = [\"10.4.0.1/16\"]\nkernel = \"s0\""},
     {"interface.kernel: got \"s0\" a second time"}},
    {"KernelIsTheDeviceItself",
     {.interface =
          "addresses = [\"10.1.255.254/16\"]\n[[interface]]\nname = \"b\"\ndevice = "
          "\"net_af_packet0,iface=eth1\"\naddresses = [\"10.4.0.1/16\"]\nkernel = \"eth1\""},
     {"interface.kernel: got \"eth1\" a second time"}},
    {"LocalIsTheKernels",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"s0\"",
      .pool = "addresses = [\"10.1.255.254\"]"},
     {"local_pool.addresses: got \"10.1.255.254\"", "does not give to the kernel"}},
    {"WorkerTwice", {.top = "[eal]\nworker_lcores = [1, 1]"}, {"lcore 1 a second time"}},
    {"Steering", {.top = "[eal]\nsteering = \"hand-off\""}, {"eal.steering", "\"handoff\""}},
    {"FewPorts",
     {.top = "[eal]\nworker_lcores = [1, 2, 3]",
      .pool = "addresses = [\"10.2.0.1\"]\nports = \"2000-2001\""},
     {"local_pool.ports", "3 workers"}},
    {"NetworkAsAddress", {.interface = "addresses = [\"10.1.0.0/16\"]"}, {"a host's address"}},
    {"HostBitsInRoute",
     {.route = "[[route]]\nto = \"10.9.0.1/16\"\nvia = \"10.1.0.1\""},
     {"the network is \"10.9.0.0/16\""}},
    {"GatewayOffLink",
     {.route = "[[route]]\nto = \"10.9.0.0/16\"\nvia = \"10.8.0.1\""},
     {"route.via: got \"10.8.0.1\"", "on an interface's network"}},
    {"GatewayIsUs",
     {.route = "[[route]]\nto = \"10.9.0.0/16\"\nvia = \"10.1.255.254\""},
     {"route.via", "not an interface's address"}},
    {"RouteTwice",
     {.route = "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"10.1.0.1\"\n[[route]]\nto = "
               "\"0.0.0.0/0\"\nvia = \"10.1.0.2\""},
     {"f:10: route.to", "a second time", "line 7"}},
    {"BackendUnreachable", {.backend = "address = \"10.9.0.10:80\""}, {"behind a [[route]]"}},
    {"BackendIsVip", {.backend = "address = \"10.3.0.1:81\"", .more = ""}, {"not a vip too"}},
    {"BackendIsLocal", {.backend = "address = \"10.2.0.1:81\""}, {"not a local address too"}},
    {"VipIsLocal", {.pool = "addresses = [\"10.3.0.1\"]"}, {"service.vip", "not a local address"}},
    {"BackendTwice",
     {.more = "[[service.backend]]\naddress = \"10.1.0.10:80\""},
     {"service.backend.address", "a second time"}},
    {"LocalTwice", {.pool = "addresses = [\"10.2.0.1\", \"10.2.0.1\"]"}, {"a second time"}},
    {"PoolTwice",
     {.more = "[[local_pool]]\naddresses = [\"10.2.0.2\"]"},
     {"local_pool: got \"default\" a second time"}},
    {"UnknownPool",
     {.service = "vip = \"10.3.0.1:80\"\nlocal_pool = \"defualt\""},
     {"service.local_pool", "the nearest is \"default\""}},
    {"ServiceTwice",
     {.more = "[[service]]\nname = \"web\"\nvip = \"10.3.0.1:81\"\n[[service.backend]]\naddress = "
              "\"10.1.0.10:80\""},
     {"service.name: got \"web\" a second time"}},
    {"VipTwice",
     {.more = "[[service]]\nname = \"web2\"\nvip = \"10.3.0.1:80\"\n[[service.backend]]\naddress = "
              "\"10.1.0.10:80\""},
     {"service.vip: got \"10.3.0.1:80\" a second time"}},
    {"Ports",
     {.pool = "addresses = [\"10.2.0.1\"]\nports = \"2000-1000\""},
     {"local_pool.ports: got \"2000-1000\"", "first-last"}},
    {"Weight", {.backend = "address = \"10.1.0.10:80\"\nweight = -1"}, {"weight: got -1"}},
    {"Timeout", {.top = "[tcp_timeouts]\nclosed = 0"}, {"tcp_timeouts.closed: got 0"}},
    {"Syntax", {.service = "vip = 10.3.0.1:80"}, {"service.vip: got vip = 10.3.0.1:80", "TOML"}},
    {"OpenString", {.service = "vip = \"10.3.0.1:80"}, {"service.vip", "valid TOML"}},
    {"KeyTwice", {.top = "[eal]\nmain_lcore = 0\nmain_lcore = 0"}, {"f:3: eal.main_lcore", "once"}},
    {"OpenArray", {.top = "[eal]\nargs = [\"a\"\n"}, {"f:2: eal.args", "closed before line"}},
    {"NoEquals", {.top = "[eal]\nhugepages\n"}, {"f:2: got hugepages"}},
};

INSTANTIATE_TEST_SUITE_P(Config, OneMistake, testing::ValuesIn(kMistakes),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Config, MistakesOfEveryKindAreNamedInOneRun) {
  const std::string text = R"([eal]
main_lcore = "0"
wroker_lcores = [1]

[[interface]]
name = "client"
device = "net_null0"
addresses = ["10.1.255.254/99"]

[[local_pool]]
addresses = ["10.2.0.1"]

[time_wait]
backend_seconds = 100000

[[service]]
name = "web"
vip = 10.3.0.1:80
local_pool = "other"

[[service.backend]]
weight = 1

[[service]]
name = "web"
vip = "10.3.0.1:80"
scheduler = "maglev"
[[service.backend]]
address = "10.1.0.10:80"
)";
  std::vector<uint32_t> lines;
  for (const Problem& problem : parse_config(text).problems) lines.push_back(problem.line);
  EXPECT_EQ(lines, (std::vector<uint32_t>{2, 3, 8, 14, 18, 19, 21, 25, 27}));
}

// The interfaces of a good file, with these devices.
std::string problems_with_devices(const std::string& first, const std::string& second) {
  std::string text = Text{}.str();
  text += "\n[[interface]]\nname = \"second\"\ndevice = \"" + second +
          "\"\naddresses = [\"10.9.0.1/24\"]\n";
  const size_t begin = text.find("device = ");
  text.replace(begin, text.find('\n', begin) - begin, "device = \"" + first + "\"");
  return problems_of(text);
}

TEST(Config, ADeviceIsOneOfEals) {
  EXPECT_EQ(problems_with_devices("net_af_packet0,iface=a", "3b:00.1"), "");
  const std::string twice =
      problems_with_devices("net_af_packet0,iface=a", "net_af_packet1,iface=a");
  EXPECT_NE(twice.find("got \"iface=a\" a second time"), std::string::npos) << twice;
  const std::string kernels = problems_with_devices("net_null0", "enp59s0f0");
  EXPECT_NE(kernels.find("interface.device: got \"enp59s0f0\", expected a PCI address, or a driver "
                         "such as \"net_af_packet0,iface=enp59s0f0\""),
            std::string::npos)
      << kernels;
}

TEST(Config, OneBracketTooFew) {
  std::string text = Text{}.str();
  text.replace(text.find("[[service.backend]]"), 19, "[service.backend]");
  EXPECT_NE(problems_of(text).find("service.backend: got a table, expected [[service.backend]], in "
                                   "two brackets: there can be several"),
            std::string::npos)
      << problems_of(text);
}

TEST(Config, AServiceNeedsABackend) {
  std::string text = Text{}.str();
  text = text.substr(0, text.find("[[service.backend]]"));
  EXPECT_EQ(problems_of(text),
            "f:9: service.backend: got nothing, expected 1 to 1024 tables [[backend]]\n");
}

TEST(Config, AnEmptyFileLacksThreeThings) {
  EXPECT_EQ(parse_config("").problems.size(), 3u);
}

TEST(Config, AFileThatIsNotThereSaysSo) {
  const LoadedConfig loaded = load_config("/nonexistent/sluice.toml");
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(describe(loaded.problems, "f"),
            "f: got No such file or directory, expected a configuration file that can be read\n");
  EXPECT_FALSE(load_config("/").ok());
  EXPECT_FALSE(load_config("/dev/zero").ok());
}

}  // namespace
}  // namespace sluice::control
