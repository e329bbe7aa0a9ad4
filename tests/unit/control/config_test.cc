// SPDX-License-Identifier: BSD-3-Clause
// The configuration: what ships loads, every mistake is named with its line, all of them at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "control/config_keys.h"
#include "control/config_load.h"

namespace sluice::control {
namespace {

const std::string kRoot = SLUICE_SOURCE_ROOT;

std::string read_text(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream(kRoot + "/" + file).rdbuf();
  return out.str();
}

// The smallest good configuration, with room for a mistake at every place.
struct Text {
  std::string top;
  std::string interface = R"(addresses = ["10.1.255.254/16"])";
  std::string route;
  std::string pool = R"(addresses = ["10.2.0.1"])";
  std::string service = R"(vip = "10.3.0.1:80")";
  std::string backend = R"(address = "10.1.0.10:80")";
  std::string more;

  std::string str() const {
    return top + "\n[[interface]]\nname = \"a\"\ndevice = \"net_null0\"\n" + interface + "\n" +
           route + "\n[[local_pool]]\n" + pool + "\n[[service]]\nname = \"web\"\n" + service +
           "\n[[service.backend]]\n" + backend + "\n" + more + "\n";
  }
};

std::string problems_of(const std::string& text) {
  return describe(parse_config(text).problems, "f");
}

TEST(Config, TheShippedFilesLoad) {
  for (const char* file : {"/conf/minimal.toml", "/conf/example.toml"}) {
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
    if (name == "interface.kernel" || name == "service.health_check") continue;
    const std::string key = name.substr(name.rfind('.') + 1);
    if (name != "service.backend") {
      EXPECT_NE(example.find("\n" + key + " = "), std::string::npos) << name;
      EXPECT_NE(document.find("`" + key + "`"), std::string::npos) << name;
    }
  }
}

TEST(Config, ValuesArrive) {
  const Config config = load_config(kRoot + "/conf/example.toml").config;
  ASSERT_EQ(config.interfaces.size(), 2u);
  EXPECT_EQ(config.interfaces[1].device, "net_af_packet1,iface=lb-server");
  EXPECT_EQ(to_string(config.routes.at(0).to), "192.0.2.0/24");
  EXPECT_EQ(net::to_string(config.services.at(0).vip), "10.3.0.1:80");
  EXPECT_EQ(config.services[0].backends.at(0).weight, 2u);
  EXPECT_EQ(net::to_string(*config.control.metrics_listen), "127.0.0.1:9180");
  EXPECT_EQ(config.eal.worker_lcores, std::vector<uint32_t>{1});
  EXPECT_EQ(local_pool_of(config, config.services[0]).ports.size(), 64512u);
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
    {"WrongType",
     {.top = "[eal]\nmain_lcore = \"0\""},
     {"f:2: eal.main_lcore: got \"0\"", "0..127"}},
    {"OutOfRange", {.top = "[eal]\nmemory_mb = 1"}, {"f:2: eal.memory_mb: got 1 ", "64..1048576"}},
    {"Overflow", {.top = "[eal]\nmemory_mb = 99999999999"}, {"got 99999999999"}},
    {"UnknownKey", {.top = "[eal]\nmemroy_mb = 64"}, {"\"memroy_mb\"", "expected \"memory_mb\""}},
    {"UnknownTable", {.top = "[nonsense]\na = 1"}, {"f:1: nonsense", "one of eal, control"}},
    {"Boolean", {.top = "[eal]\nhugepages = 1"}, {"true or false"}},
    {"TableAsValue", {.top = "eal = 5"}, {"f:1: eal: got 5", "expected a table"}},
    {"ValueAsTable", {.top = "[eal.memory_mb]"}, {"eal.memory_mb: got a table"}},
    {"NotAnArray", {.top = "[eal]\nargs = \"x\""}, {"an array of 0 to 64"}},
    {"BadElement", {.top = "[eal]\nargs = [\"x\", \"\"]"}, {"eal.args: got \"\""}},
    {"Missing", {.service = ""}, {"service.vip: got nothing", "address:port"}},
    {"BadVip", {.service = "vip = \"10.3.0.1\""}, {"service.vip: got \"10.3.0.1\""}},
    {"Ipv6Vip", {.service = "vip = \"[fd00::1]:80\""}, {"IPv6 is not supported"}},
    {"MulticastVip", {.service = "vip = \"224.0.0.1:80\""}, {"unicast"}},
    {"LoopbackBackend", {.backend = "address = \"127.0.0.1:80\""}, {"unicast"}},
    {"Maglev",
     {.service = "vip = \"10.3.0.1:80\"\nscheduler = \"maglev\""},
     {"\"maglev\" is not supported by this version"}},
    {"SchedulerTypo",
     {.service = "vip = \"10.3.0.1:80\"\nscheduler = \"roundrobin\""},
     {"the nearest is \"round_robin\""}},
    {"Udp", {.service = "vip = \"10.3.0.1:80\"\nprotocol = \"udp\""}, {"not supported"}},
    {"HealthCheck",
     {.more = "[service.health_check]\ntype = \"tcp\""},
     {"service.health_check", "not supported by this version"}},
    {"Kernel",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nkernel = \"sluice0\""},
     {"interface.kernel", "not supported by this version"}},
    {"ManyWorkers", {.top = "[eal]\nworker_lcores = [1, 2]"}, {"2 lcores", "expected one lcore"}},
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
    {"WorkerIsMain",
     {.top = "[eal]\nmain_lcore = 1"},
     {"eal.main_lcore: got lcore 1", "another one than worker_lcores"}},
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

TEST(Config, AServiceNeedsABackend) {
  std::string text = Text{}.str();
  text = text.substr(0, text.find("[[service.backend]]"));
  EXPECT_EQ(problems_of(text),
            "f:9: service.backend: got nothing, expected 1 to 256 tables [[backend]]\n");
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

TEST(Config, WarnsOfWhatIsOddButMayBeMeant) {
  Text text;
  text.pool = R"(addresses = ["10.77.0.1"])";
  text.backend = "address = \"10.1.0.10:80\"\nweight = 0";
  const LoadedConfig loaded = parse_config(text.str());
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.warnings.size(), 2u);
  EXPECT_NE(loaded.warnings[0].find("10.77.0.1"), std::string::npos);
  EXPECT_NE(loaded.warnings[1].find("drains"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
