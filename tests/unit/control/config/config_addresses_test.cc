// SPDX-License-Identifier: BSD-3-Clause
// Addresses in a configuration: which may stand where, by family, and what is said of others.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

struct AddressCase {
  const char* name;
  Text text;
  std::vector<const char*> said;
};

const char* const kBoth = R"(addresses = ["fd00:1::fe/64", "10.1.255.254/16"])";
const char* const kIpv6Alone = R"(addresses = ["fd00:1::fe/64"])";
const char* const kVip6 = "vip = \"[fd00:3::1]:80\"";
const char* const kPool6 = R"(addresses = ["fd00:1::11"])";
const char* const kBackend6 = "address = \"[fd00:1::10]:80\"";

std::string route(const std::string& to, const std::string& rest) {
  return "[[route]]\nto = \"" + to + "\"\n" + rest;
}

// All four pairs of families, and the ways to gateways.
const Text kGood[] = {
    {.interface = kBoth, .service = kVip6},
    {.interface = kBoth, .pool = kPool6, .backend = kBackend6},
    {.interface = kIpv6Alone, .pool = kPool6, .service = kVip6, .backend = kBackend6},
    {.interface = R"(addresses = ["10.1.255.254/16", "fd00:1::fe/64", "10.7.0.1/24",
                     "fd00:7::1/64", "fe80::fe/64"])"},
    {.interface = kBoth, .route = route("::/0", "via = \"fd00:1::1\"")},
    {.interface = kBoth, .route = route("::/0", "via = \"fe80::1\"\ninterface = \"a\"")},
    {.route = route("0.0.0.0/0", "via = \"10.1.0.1\"\ninterface = \"a\"")},
    {.route = route("0.0.0.0/0", "via = \"192.0.2.1\"\ninterface = \"a\"\non_link = true")},
    {.interface = kBoth,
     .route = route("::/0", "via = \"fd00:9::1\"\ninterface = \"a\"\non_link = true")},
    // A backend that is such a gateway, and one behind it.
    {.route = route("10.9.0.0/16", "via = \"192.0.2.1\"\ninterface = \"a\"\non_link = true"),
     .backend = "address = \"192.0.2.1:80\"\n[[service.backend]]\naddress = \"10.9.0.1:80\""},
    {.interface = std::string(kBoth) + "\nneighbours = { \"fd00:1::1\" = \"02:00:00:00:00:01\", "
                                       "\"fe80::1\" = \"02:00:00:00:00:02\" }"},
    {.interface = "addresses = [\"10.1.255.254/32\"]\nneighbours = { \"192.0.2.1\" = "
                  "\"02:00:00:00:00:01\" }",
     .route = route("0.0.0.0/0", "via = \"192.0.2.1\"\ninterface = \"a\"\non_link = true")},
};

TEST(ConfigAddresses, BothFamiliesMayStandWhereTheyFit) {
  for (const Text& text : kGood) {
    const LoadedConfig loaded = parse_config(text.str());
    EXPECT_TRUE(loaded.ok()) << text.str() << describe(loaded.problems, "f");
  }
}

const AddressCase kAddressCases[] = {
    {"VipWithoutAnInterface",
     {.service = "vip = \"[fd00::1]:80\""},
     {"service.vip: got \"[fd00::1]:80\"", "an [[interface]] with an IPv6 address"}},
    {"VipOfIpv4WithoutAnInterface",
     {.interface = kIpv6Alone, .pool = kPool6, .backend = kBackend6},
     {"service.vip: got \"10.3.0.1:80\"", "an [[interface]] with an IPv4 address"}},
    {"BackendOfAnotherFamily",
     {.interface = kBoth, .backend = kBackend6},
     {"service.backend.address: got \"[fd00:1::10]:80\"", "an IPv4 address",
      "local_pool \"default\""}},
    {"PoolOfAnotherFamily",
     {.interface = kBoth, .pool = kPool6},
     {"service.backend.address: got \"10.1.0.10:80\"", "an IPv6 address"}},
    {"PoolOfBothFamilies",
     {.interface = kBoth, .pool = R"(addresses = ["10.2.0.1", "fd00:1::11"])"},
     {"local_pool.addresses: got \"fd00:1::11\"", "an IPv4 address, as the first"}},
    {"BackendBehindNothing",
     {.interface = kBoth, .pool = kPool6, .backend = "address = \"[fd00:2::1]:80\""},
     {"service.backend.address", "on an interface's network or behind a [[route]]"}},
    {"LocalThatIsAVip",
     {.interface = kBoth,
      .pool = kPool6,
      .service = "vip = \"[fd00:1::11]:80\"",
      .backend = kBackend6},
     {"service.vip", "not a local address too"}},
    {"NetworkAsVip",
     {.interface = kBoth, .service = "vip = \"[fd00:1::]:80\""},
     {"service.vip", "this is the network address of fd00:1::/64"}},
    {"NetworkAsInterface",
     {.interface = R"(addresses = ["10.1.255.254/16", "fd00:1::/64"])"},
     {"interface.addresses: got \"fd00:1::/64\"", "a host's address"}},
    {"AddressTwice",
     {.interface = R"(addresses = ["10.1.255.254/16", "fd00:1::1/64", "fd00:1::1/48"])"},
     {"\"fd00:1::1\" a second time"}},
    {"LinkLocalTwice",
     {.interface = R"(addresses = ["10.1.255.254/16", "fe80::1/64", "fe80::1/10"])"},
     {"\"fe80::1\" a second time"}},
    {"RouteViaTheOtherFamily",
     {.interface = kBoth, .route = route("2001:db8::/32", "via = \"10.1.0.1\"")},
     {"route.via: got \"10.1.0.1\"", "an IPv6 address, as the network's is"}},
    {"RouteByALinkLocalGateway",
     {.interface = kBoth, .route = route("::/0", "via = \"fe80::1\"")},
     {"route.via: got \"fe80::1\"", "interface = \"NAME\" beside a gateway of fe80::/10"}},
    {"RouteByNoInterface",
     {.interface = kBoth, .route = route("::/0", "via = \"fe80::1\"\ninterface = \"b\"")},
     {"route.interface: got \"b\"", "the name of an [[interface]]"}},
    {"RouteByAnInterfaceWithoutIpv6",
     {.route = route("::/0", "via = \"fe80::1\"\ninterface = \"a\"")},
     {"route.interface: got \"a\"", "an interface with an IPv6 address"}},
    {"RouteByOurselves",
     {.interface = R"(addresses = ["10.1.255.254/16", "fe80::1/64"])",
      .route = route("::/0", "via = \"fe80::1\"\ninterface = \"a\"")},
     {"route.via: got \"fe80::1\"", "not an interface's address"}},
    {"GatewayOffTheLink",
     {.route = route("0.0.0.0/0", "via = \"192.0.2.1\"\ninterface = \"a\"")},
     {"route.via: got \"192.0.2.1\"", "on an interface's network (or on_link = true)"}},
    {"OnLinkWithoutAnInterface",
     {.route = route("0.0.0.0/0", "via = \"192.0.2.1\"\non_link = true")},
     {"route.on_link: got true", "interface = \"NAME\" beside it"}},
    {"OnLinkOfTwo",
     {.route = "[[interface]]\nname = \"b\"\ndevice = \"net_null1\"\naddresses = "
               "[\"10.9.0.1/24\"]\n" +
               route("0.0.0.0/0", "via = \"192.0.2.1\"\ninterface = \"a\"\non_link = true\n") +
               route("10.8.0.0/16", "via = \"192.0.2.1\"\ninterface = \"b\"\non_link = true")},
     {"route.interface: got \"b\"", "\"a\", as for another route by \"192.0.2.1\""}},
    {"AnotherInterface",
     {.route = "[[interface]]\nname = \"b\"\ndevice = \"net_null1\"\naddresses = "
               "[\"10.9.0.1/24\"]\n" +
               route("0.0.0.0/0", "via = \"10.1.0.1\"\ninterface = \"b\"")},
     {"route.interface: got \"b\"", "\"a\", whose network has 10.1.0.1"}},
    {"NeighbourElsewhere",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nneighbours = { \"fe80::1\" = "
                   "\"02:00:00:00:00:01\" }"},
     {"interface.neighbours: got \"fe80::1\"", "an address on a network of interface a"}},
    {"NeighbourOfNobody",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nneighbours = { \"ff02::1\" = "
                   "\"02:00:00:00:00:01\" }"},
     {"interface.neighbours", "\"ff02::1\" is no host's address"}},
    {"MtuBelowThatOfIpv6",
     {.interface = std::string(kBoth) + "\nmtu = 1279"},
     {"interface.mtu: got 1279", "at least 1280 where there is IPv6"}},
    {"LinkLocal",
     {.service = "vip = \"[fe80::1]:80\""},
     {"fe80::/10 is link-local: no router passes it on"}},
    {"LinkLocalBackend", {.backend = "address = \"[fe80::1]:80\""}, {"fe80::/10 is link-local"}},
    {"LinkLocalLocal", {.pool = R"(addresses = ["fe80::1"])"}, {"fe80::/10 is link-local"}},
    {"Multicast", {.service = "vip = \"[ff02::1]:80\""}, {"ff00::/8 is multicast"}},
    {"Unspecified", {.service = "vip = \"[::]:80\""}, {":: is no address"}},
    {"Loopback", {.backend = "address = \"[::1]:80\""}, {"::1 is the loopback"}},
    {"Compatible", {.backend = "address = \"[::10.1.0.10]:80\""}, {"::/96 is not in use"}},
    {"Mapped", {.service = "vip = \"[::ffff:10.3.0.1]:80\""}, {"IPv4-mapped: write 10.3.0.1"}},
    {"WithoutBrackets",
     {.service = "vip = \"fd00::1:80\""},
     {"\"address:port\" or \"[IPv6 address]:port\""}},
    {"MetricsWithAZone",
     {.top = "[control]\nmetrics_listen = \"[fe80::1%eth0]:9100\""},
     {"control.metrics_listen", "without a zone"}},
    {"MetricsOnALink",
     {.top = "[control]\nmetrics_listen = \"[fe80::1]:9100\""},
     {"control.metrics_listen", "needs a zone"}},
    {"MetricsMulticast",
     {.top = "[control]\nmetrics_listen = \"[ff02::1]:9100\""},
     {"control.metrics_listen", "multicast"}},
    {"MetricsMapped",
     {.top = "[control]\nmetrics_listen = \"[::ffff:127.0.0.1]:9100\""},
     {"control.metrics_listen", "IPv4-mapped: write 127.0.0.1"}},
    {"PageOnMetricsIpv6Port",
     {.top = "[control]\nmetrics_listen = \"[::1]:1\"\npage_listen = \"[0::1]:1\""},
     {"f:3: control.page_listen: got \"[::1]:1\"", "another address or port"}},
};

// One value, one complaint: nothing else follows from an address that is refused.
TEST(ConfigAddresses, EachMistakeIsNamedAlone) {
  for (const AddressCase& test : kAddressCases) {
    const LoadedConfig loaded = parse_config(test.text.str());
    EXPECT_FALSE(loaded.ok()) << test.name;
    const std::string said = describe(loaded.problems, "f");
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << test.name << ": " << said;
    for (const char* words : test.said) {
      EXPECT_NE(said.find(words), said.npos) << test.name << ": " << said;
    }
  }
}

// Each family has a table of next hops.
TEST(ConfigAddresses, NeighboursAreCountedByFamily) {
  Text text{.top = "[limits]\nneighbours_per_worker = 16", .interface = kBoth};
  for (int i = 0; i < 8; ++i) {
    text.route += route("2001:db8:" + std::to_string(i) + "::/48",
                        "via = \"fd00:1::" + std::to_string(i + 1) + "\"\n");
  }
  EXPECT_TRUE(parse_config(text.str()).ok());
  text.route += route("2001:db8:9::/48", "via = \"fd00:1::99\"\n");
  const LoadedConfig loaded = parse_config(text.str());
  ASSERT_EQ(loaded.problems.size(), 1u) << describe(loaded.problems, "f");
  EXPECT_NE(loaded.problems[0].expected.find("pinned neighbours (9)"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
