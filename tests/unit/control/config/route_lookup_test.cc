// SPDX-License-Identifier: BSD-3-Clause
// Where a configuration leads, against a search of all its networks and routes; and many routes.
#include "control/config/route_lookup.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "control/config/address_text.h"
#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

// Of either family; so many places differ that networks and addresses meet.
IpAddress address(std::mt19937& random, uint32_t places) {
  const auto bits = net::Ipv4Address::from_host(random() & places);
  if (random() % 2 == 0) return bits;
  net::Ipv6Address wide;
  std::memcpy(wide.bytes.data() + 6, &bits, sizeof bits);  // across the middle
  return wide;
}

IpPrefix network(std::mt19937& random, uint32_t places) {
  const IpAddress ip = address(random, places);
  return {ip, static_cast<uint8_t>(random() % (ip.bit_count() + 1))};
}

/// The narrowest of the interfaces' networks.
std::optional<RouteResult> network_with(const Config& config, const IpAddress& ip, int& length) {
  std::optional<RouteResult> best;
  length = -1;
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    for (const IpPrefix& own : config.interfaces[i].addresses) {
      if (!own.contains(ip) || own.length <= length) continue;
      best = {i, own.address};
      length = own.length;
    }
  }
  return best;
}

/// On the link before by a route of the same length.
std::optional<RouteResult> search(const Config& config, const IpAddress& ip) {
  int length;
  std::optional<RouteResult> best = network_with(config, ip, length);
  for (const RouteConfig& route : config.routes) {
    int unused;
    if (!route.to.contains(ip) || route.to.length <= length) continue;
    const auto gateway = network_with(config, route.via, unused);
    if (!gateway) continue;
    best = gateway;
    length = route.to.length;
  }
  return best;
}

TEST(RouteLookup, AgainstASearch) {
  std::mt19937 random(18);
  for (int round = 0; round < 200; ++round) {
    const uint32_t places = random() & random() & random();
    Config config;
    config.interfaces.resize(1 + random() % 3);
    for (InterfaceConfig& interface : config.interfaces) {
      for (auto i = random() % 3; i > 0; --i) {
        interface.addresses.push_back(network(random, places));
      }
    }
    for (auto i = random() % 20; i > 0; --i) {
      config.routes.push_back(
          {network(random, places).network(), address(random, places), "", false});
    }
    const RouteLookup lookup(config);
    for (int i = 0; i < 200; ++i) {
      const IpAddress ip = address(random, places);
      const auto wanted = search(config, ip), found = lookup.find(ip);
      ASSERT_EQ(found.has_value(), wanted.has_value());
      if (!wanted) continue;
      ASSERT_EQ(found->interface, wanted->interface);
      ASSERT_EQ(found->source, wanted->source);
    }
  }
}

// Gateways that no network tells: the route names the interface, and they have routes of their own.
TEST(RouteLookup, ByGatewaysOnNoNetwork) {
  const std::string second =
      "[[interface]]\nname = \"b\"\ndevice = \"net_null1\"\n"
      "addresses = [\"10.9.0.1/32\", \"fe80::b/64\", \"fd00:9::1/64\"]\n";
  const LoadedConfig loaded = parse_config(Text{
      .interface = R"(addresses = ["10.1.255.254/16", "fd00:1::fe/64"])",
      .route = second + "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"192.0.2.1\"\non_link = true\n"
                        "interface = \"b\"\n[[route]]\nto = \"::/0\"\nvia = \"fe80::1\"\n"
                        "interface = \"b\"\n[[route]]\nto = \"2001:db8::/32\"\nvia = \"fe80::1\"\n"
                        "interface = \"a\"\n"}
                                               .str());
  ASSERT_TRUE(loaded.ok()) << describe(loaded.problems, "f");
  const RouteLookup lookup(loaded.config);
  const auto leads = [&](const char* ip, size_t interface, const char* source) {
    const auto way = lookup.find(*parse_ip(ip));
    return way && way->interface == interface && way->source == *parse_ip(source);
  };
  EXPECT_TRUE(leads("198.51.100.7", 1, "10.9.0.1"));
  EXPECT_TRUE(leads("192.0.2.1", 1, "10.9.0.1"));
  EXPECT_TRUE(leads("2001:db9::1", 1, "fd00:9::1")) << "no link's own where there is another";
  EXPECT_TRUE(leads("2001:db8::1", 0, "fd00:1::fe"));
  for (const size_t route : {1, 2}) {
    const auto gateway = lookup.find_gateway(loaded.config.routes[route]);
    ASSERT_TRUE(gateway);
    EXPECT_EQ(gateway->interface, route == 1 ? 1u : 0u) << "the same address on two links";
  }
}

std::string routes_text(uint32_t count) {
  std::string text;
  for (uint32_t i = 0; i < count; ++i) {
    text +=
        fmt::format("[[route]]\nto = \"20.{}.{}.0/24\"\nvia = \"10.1.0.1\"\n", i / 256, i % 256);
  }
  return text;
}

TEST(RouteLookup, ManyRoutesAreRead) {
  const LoadedConfig loaded = parse_config(Text{.route = routes_text(16'384)}.str());
  ASSERT_TRUE(loaded.ok()) << describe(loaded.problems, "f");
  const RouteLookup lookup(loaded.config);
  EXPECT_TRUE(lookup.find(*parse_ip("20.63.255.9")));
  EXPECT_FALSE(lookup.find(*parse_ip("20.64.0.9")));
  const LoadedConfig more = parse_config(Text{.route = routes_text(16'385)}.str());
  ASSERT_EQ(more.problems.size(), 1u) << describe(more.problems, "f");
  EXPECT_EQ(more.problems[0].expected, "at most 16384 tables [[route]]");
}

}  // namespace
}  // namespace sluice::control
