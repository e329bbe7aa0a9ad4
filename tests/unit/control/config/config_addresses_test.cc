// SPDX-License-Identifier: BSD-3-Clause
// Addresses in a configuration: which family may stand where, and what is said of others.
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

const AddressCase kAddressCases[] = {
    {"Vip",
     {.service = "vip = \"[fd00::1]:80\""},
     {"service.vip: got \"[fd00::1]:80\"", "IPv6 is not supported by this version"}},
    {"Backend",
     {.backend = "address = \"[fd00::1]:80\""},
     {"service.backend.address: got \"[fd00::1]:80\"", "IPv6 is not supported"}},
    {"Interface",
     {.interface = R"(addresses = ["fd00::1/64", "10.1.255.254/16"])"},
     {"interface.addresses: got \"fd00::1/64\"", "IPv6 is not supported"}},
    {"RouteTo",
     {.route = "[[route]]\nto = \"2001:db8::/32\"\nvia = \"10.1.0.1\""},
     {"route.to: got \"2001:db8::/32\"", "IPv6 is not supported"}},
    {"RouteVia",
     {.route = "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"fd00::1\""},
     {"route.via: got \"fd00::1\"", "IPv6 is not supported"}},
    {"Local",
     {.pool = R"(addresses = ["fd00::1"])"},
     {"local_pool.addresses: got \"fd00::1\"", "IPv6 is not supported"}},
    {"Neighbour",
     {.interface = "addresses = [\"10.1.255.254/16\"]\nneighbours = { \"fd00::1\" = "
                   "\"02:00:00:00:00:01\" }"},
     {"interface.neighbours", "fd00::1: IPv6 is not supported"}},
    {"LinkLocal", {.service = "vip = \"[fe80::1]:80\""}, {"fe80::/10 and ff00::/8 are not"}},
    {"Multicast", {.service = "vip = \"[ff02::1]:80\""}, {"fe80::/10 and ff00::/8 are not"}},
    {"Loopback", {.backend = "address = \"[::1]:80\""}, {"::/96, fe80::/10"}},
    {"Mapped", {.service = "vip = \"[::ffff:10.3.0.1]:80\""}, {"IPv4-mapped: write 10.3.0.1"}},
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

}  // namespace
}  // namespace sluice::control
